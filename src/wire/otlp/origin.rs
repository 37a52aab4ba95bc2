//! Where data points come from: the resource names the server and some labels, the scope adds others.

use std::borrow::Cow;

use super::attributes;
use super::message::{Fields, Malformed};
use super::refusal::Refusal;
use crate::model::IdentityError;
use crate::model::series::{LABELS_BYTES_MAX, LABELS_MAX};
use crate::wire::composed::{self, HOST_BYTES_MAX};

/// What the settings say about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The attributes of a resource that may name its server; the first one that it has does.
    pub host_attributes: Vec<String>,
    /// The server of resources that have none of them.
    pub default_host: String,
    /// The attributes of a resource that become labels. A `*` at the end stands for any ending.
    pub resource_labels: Vec<String>,
    /// Whether the name and the attributes of the scope do.
    pub scope_labels: bool,
}

impl Default for Reading {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            host_attributes: list(&["host.name", "service.name", "service.instance.id"]),
            default_host: "otlp".to_owned(),
            resource_labels: list(&["service.*", "deployment.*", "k8s.*", "container.name", "container.id"]),
            scope_labels: true,
        }
    }
}

impl Reading {
    fn is_label(&self, name: &str) -> bool {
        self.resource_labels.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == known,
        })
    }
}

/// Labels that are gathered and, once complete, written as [`composed::single`] takes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// All that were added, kept or not.
    count: usize,
    bytes: usize,
}

impl<'a> Labels<'a> {
    pub(super) fn clear(&mut self) {
        self.pairs.clear();
        (self.count, self.bytes) = (0, 0);
    }

    pub(super) fn add(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(name.len() + value.len());
        // What is too much is refused; until then it need not be kept.
        if self.count <= LABELS_MAX {
            self.pairs.push((name, value));
        }
    }

    fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == name)
    }

    /// Writes them to `out`, without those that `nearer` has as well.
    pub(super) fn write(&self, out: &mut Vec<u8>, nearer: Option<&Labels<'_>>) -> Result<(), Refusal> {
        if self.count > LABELS_MAX {
            return Err(Refusal::Identity(IdentityError::TooManyLabels { count: self.count }));
        }
        if self.bytes > LABELS_BYTES_MAX {
            return Err(Refusal::Identity(IdentityError::LabelsTooLong { bytes: self.bytes }));
        }
        for (name, value) in &self.pairs {
            if nearer.is_none_or(|nearer| !nearer.has(name)) {
                composed::label(out, name, value);
            }
        }
        Ok(())
    }
}

/// The resource and the scope of a data point.
#[derive(Clone, Debug)]
pub(super) struct Origin<'a> {
    pub(super) host: Cow<'a, str>,
    pub(super) labels: Labels<'a>,
    /// The name of the service, for log records.
    pub(super) service: Option<Cow<'a, str>>,
    /// Why nothing of it can be stored.
    pub(super) refusal: Option<Refusal>,
}

impl<'a> Origin<'a> {
    /// Reads the resource, field 1 of `message`.
    pub(super) fn of_resource(message: &'a [u8], reading: &Reading) -> Result<Self, Malformed> {
        let mut origin = Self { host: Cow::Borrowed(""), labels: Labels::default(), service: None, refusal: None };
        let mut found: Vec<Option<Cow<'a, str>>> = vec![None; reading.host_attributes.len()];
        for resource in Fields::of(message) {
            let resource = resource?;
            if resource.number != 1 {
                continue;
            }
            for field in Fields::of(resource.bytes()?) {
                let field = field?;
                if field.number != 1 {
                    continue;
                }
                match attributes::read(field.bytes()?)? {
                    Ok((name, value)) => origin.resource_attribute((name, value), reading, &mut found),
                    Err(refusal) => origin.refusal = Some(refusal),
                }
            }
        }
        origin.name_server(reading, found);
        Ok(origin)
    }

    fn resource_attribute(
        &mut self,
        (name, value): (&'a str, Cow<'a, str>),
        reading: &Reading,
        found: &mut [Option<Cow<'a, str>>],
    ) {
        if name == "service.name" {
            self.service = Some(value.clone());
        }
        if let Some(place) = reading.host_attributes.iter().position(|known| known == name) {
            found[place] = Some(value.clone());
        }
        if reading.is_label(name) {
            self.labels.add(Cow::Borrowed(name), value);
        }
    }

    /// The attribute that names the server is no label beside.
    fn name_server(&mut self, reading: &Reading, found: Vec<Option<Cow<'a, str>>>) {
        let named = found.into_iter().enumerate().find_map(|(place, host)| Some((place, host?)));
        self.host = match named.filter(|(_, host)| !host.is_empty()) {
            Some((place, host)) => {
                let name = &reading.host_attributes[place];
                self.labels.pairs.retain(|(known, _)| known != name);
                host
            }
            None => Cow::Owned(reading.default_host.clone()),
        };
        if self.host.len() > HOST_BYTES_MAX {
            self.refusal = Some(Refusal::LongHost { bytes: self.host.len() });
        }
    }

    /// Adds the scope, field 1 of `message`.
    pub(super) fn with_scope(&self, message: &'a [u8], reading: &Reading) -> Result<Self, Malformed> {
        let mut origin = self.clone();
        for scope in Fields::of(message) {
            let scope = scope?;
            if scope.number != 1 || !reading.scope_labels {
                continue;
            }
            for field in Fields::of(scope.bytes()?) {
                let field = field?;
                match field.number {
                    1 => match std::str::from_utf8(field.bytes()?) {
                        Ok("") => {}
                        Ok(name) => origin.labels.add(Cow::Borrowed("otel.scope.name"), Cow::Borrowed(name)),
                        Err(_) => origin.refusal = Some(Refusal::NotUtf8 { what: "the scope's name" }),
                    },
                    3 => match attributes::read(field.bytes()?)? {
                        Ok((name, value)) => {
                            origin.labels.add(Cow::Owned(format!("otel.scope.{name}")), value);
                        }
                        Err(refusal) => origin.refusal = Some(refusal),
                    },
                    _ => {}
                }
            }
        }
        Ok(origin)
    }
}

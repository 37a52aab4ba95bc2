//! From the spelling of a series to its server and its identity. Runs when the catalog meets a spelling for the first
//! time.

use super::sink::BUCKET;
use super::spelling;
use crate::model::series::LABELS_MAX;
use crate::model::{Code, Identity, IdentityError, Labels, RawIdentity};
use crate::wire::composed::check_host;

type Refused = (Code, String);

const NAME_LABEL: &str = "__name__";
const BOUND_LABEL: &str = "le";

/// How labels become a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The metric type of all series.
    pub metric_type: String,
    /// The labels whose host part names the server, the first one that a series has does. They stay labels.
    pub host_labels: Vec<String>,
    /// The server of series that have none of them.
    pub default_host: String,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            metric_type: "prometheus".to_owned(),
            host_labels: vec!["instance".to_owned()],
            default_host: "prometheus".to_owned(),
        }
    }
}

/// The labels of a series, its name taken out. Labels without a value are none, as everywhere in Prometheus.
struct Parts<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
}

impl Naming {
    /// The host name of the server that the series of `raw` belongs to.
    ///
    /// # Errors
    /// The code and the message to refuse its samples with.
    pub fn host(&self, text: &[u8], raw: RawIdentity) -> Result<String, Refused> {
        let parts = Parts::of(raw.labels.of(text))?;
        let labelled = |name: &String| parts.labels.iter().find(|(label, _)| label == name);
        let host = self.host_labels.iter().find_map(labelled).map(|(_, value)| host_part(value));
        let host = host.filter(|host| !host.is_empty()).unwrap_or(&self.default_host);
        check_host(host)?;
        let host = host.to_owned();
        // A series that cannot be must not register its server.
        self.identity(text, raw)?;
        Ok(host)
    }

    /// The series that `raw` spells.
    ///
    /// # Errors
    /// The code and the message to refuse its samples with.
    pub fn identity(&self, text: &[u8], raw: RawIdentity) -> Result<Identity, Refused> {
        let Parts { name, labels } = Parts::of(raw.labels.of(text))?;
        let mut labels: Vec<(Box<str>, Box<str>)> =
            labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let part = utf8(raw.metric_name.of(text), "the part of a histogram")?;
        let name = match raw.metric_name.of(text).strip_prefix(BUCKET) {
            Some(bound) => {
                labels.push((BOUND_LABEL.into(), utf8(bound, "a bound")?.into()));
                format!("{name}_bucket")
            }
            None => format!("{name}{part}"),
        };
        Identity::new(&self.metric_type, &name, Labels::new(labels).map_err(refused)?).map_err(refused)
    }
}

impl<'a> Parts<'a> {
    fn of(spelt: &'a [u8]) -> Result<Self, Refused> {
        let malformed = |error: super::protobuf::Malformed| (Code::InvalidLabels, format!("labels: {error}"));
        let mut parts = Self { name: "", labels: Vec::new() };
        let (mut found, mut last, mut count) = (spelling::Labels::of(spelt), "", 0);
        while let Some((name, value)) = found.next().map_err(malformed)? {
            count += 1;
            if count > LABELS_MAX + 1 {
                let mut more = 0;
                while found.next().map_err(malformed)?.is_some() {
                    more += 1;
                }
                return Err(refused(IdentityError::TooManyLabels { count: count - 1 + more }));
            }
            let (name, value) = (utf8(name, "a label name")?, utf8(value, "a label value")?);
            parts.add(last, name, value)?;
            last = name;
        }
        if parts.name.is_empty() {
            return Err((Code::MissingField, format!("missing label {NAME_LABEL}")));
        }
        Ok(parts)
    }

    /// Labels come sorted by name, so each is compared with the one before.
    fn add(&mut self, last: &str, name: &'a str, value: &'a str) -> Result<(), Refused> {
        if name.is_empty() {
            return Err((Code::InvalidLabels, "a label has no name".to_owned()));
        }
        if name == last {
            return Err(refused(IdentityError::DuplicateLabel { name: name.to_owned() }));
        }
        if name < last {
            let message = format!("labels are not in the order of their names: \"{name}\" after \"{last}\"");
            return Err((Code::InvalidLabels, message));
        }
        match name {
            NAME_LABEL => self.name = value,
            _ if value.is_empty() => {}
            _ => self.labels.push((name, value)),
        }
        Ok(())
    }
}

/// The host of `host:port`, `[address]:port`, or of a URL, which is what some exporters are asked for.
fn host_part(instance: &str) -> &str {
    let authority = match instance.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => instance,
    };
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match authority.rsplit_once(':') {
        // More than one colon without brackets is an address of its own.
        Some((host, port)) if !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn utf8<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Refused> {
    std::str::from_utf8(bytes).map_err(|_| (Code::InvalidText, format!("{what} is not UTF-8")))
}

fn refused(error: IdentityError) -> Refused {
    (Code::of_identity(&error), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_no_part_of_the_host() {
        for (instance, host) in [
            ("web-1:9100", "web-1"),
            ("web-1", "web-1"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[::1]:9100", "::1"),
            ("fe80::1", "fe80::1"),
            ("https://example.com:8443/path?q=a:1", "example.com"),
            ("http://[2001:db8::1]:80/", "2001:db8::1"),
            ("C:drive", "C:drive"),
            (":9100", ""),
            ("", ""),
        ] {
            assert_eq!(host_part(instance), host, "{instance}");
        }
    }
}

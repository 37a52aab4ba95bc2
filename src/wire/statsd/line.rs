//! One line: a name, values, a type, and what may follow.

use crate::model::Code;
use crate::wire::tags::{Refused, Tags};

/// Longest line; whoever cuts lines out of a stream must refuse a longer one.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Timer,
    Set,
}

/// A line whose values are not looked at yet.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    /// What one value stands for when only some are sent.
    pub(super) weight: f64,
    pub(super) tags: Tags<'a>,
    values: &'a str,
}

impl<'a> Line<'a> {
    /// Several values of one series may come in one line; members of a set may hold colons.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let separator = if self.kind == Kind::Set { '\n' } else { ':' };
        self.values.split(separator)
    }

    pub(super) fn read(line: &'a [u8]) -> Result<Self, Refused> {
        let malformed = |what: &str| (Code::MalformedLine, what.to_owned());
        if line.len() > LINE_BYTES_MAX {
            return Err((Code::MalformedLine, format!("more than {LINE_BYTES_MAX} bytes")));
        }
        let line = std::str::from_utf8(line).map_err(|_| (Code::InvalidText, "text that is not UTF-8".to_owned()))?;
        if line.starts_with("_e{") || line.starts_with("_sc|") {
            return Err((Code::InvalidType, "an event or a service check, which are not taken,".to_owned()));
        }
        let (name, rest) = line.split_once(':').ok_or_else(|| malformed("no value"))?;
        let mut parts = rest.split('|');
        let values = parts.next().unwrap_or_default();
        let kind = match parts.next().ok_or_else(|| malformed("no type"))? {
            "c" => Kind::Counter,
            "g" => Kind::Gauge,
            "ms" | "h" | "d" => Kind::Timer,
            "s" => Kind::Set,
            _ => return Err((Code::InvalidType, "a type that is unknown".to_owned())),
        };
        let (mut weight, mut tags) = (1.0, Tags::default());
        for part in parts {
            if let Some(rate) = part.strip_prefix('@') {
                weight = weight_of(rate).ok_or_else(|| malformed("a sample rate that is none"))?;
            } else if let Some(listed) = part.strip_prefix('#') {
                for tag in listed.split(',').filter(|tag| !tag.is_empty()) {
                    let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
                    tags.add(name, value)?;
                }
            }
            // What else may stand there (container, time) says nothing of the value.
        }
        Ok(Self { name, kind, weight, tags, values })
    }
}

fn weight_of(rate: &str) -> Option<f64> {
    let rate: f64 = rate.parse().ok()?;
    Some(1.0 / rate).filter(|weight| rate > 0.0 && rate <= 1.0 && weight.is_finite())
}

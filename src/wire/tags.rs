//! Tags of lines that agents send without waiting for an answer: one of them names the server, the others are labels.

use super::composed;
use crate::model::{Code, IdentityError, RawIdentity, series};

/// The tags that may name the server, the first one that a line has does.
const HOST_TAGS: [&str; 2] = ["host", "hostname"];
/// Why a line is refused, as the catalog is told as well.
pub(super) type Refused = (Code, String);

/// The tags of one line.
#[derive(Debug, Default)]
pub(super) struct Tags<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Tags<'a> {
    /// # Errors
    /// When it is one more than a series may have, the one for the server included.
    pub(super) fn add(&mut self, name: &'a str, value: &'a str) -> Result<(), Refused> {
        if self.pairs.len() > series::LABELS_MAX {
            let error = IdentityError::TooManyLabels { count: self.pairs.len() };
            return Err((Code::of_identity(&error), error.to_string()));
        }
        self.pairs.push((name, value));
        Ok(())
    }

    /// The server that they name.
    pub(super) fn host(&self) -> Option<&'a str> {
        let named = |name: &&str| self.pairs.iter().find(|(tag, _)| tag == name).map(|(_, value)| *value);
        HOST_TAGS.iter().find_map(named).filter(|host| !host.is_empty())
    }

    /// Writes the labels among them, in the order of their names, so that one order is one spelling.
    pub(super) fn write_labels(&mut self, out: &mut Vec<u8>) {
        let host = self.host();
        let is_host = |name: &str, value: &str| HOST_TAGS.contains(&name) && Some(value) == host;
        let taken = self.pairs.iter().position(|(name, value)| is_host(name, value));
        if let Some(place) = taken {
            self.pairs.remove(place);
        }
        self.pairs.sort_unstable();
        self.pairs.iter().for_each(|(name, value)| composed::label(out, name, value));
    }
}

/// A series of this server, type and name, with labels that [`Tags::write_labels`] wrote.
pub(super) fn single(
    text: &mut Vec<u8>,
    host: &str,
    (metric_type, metric_name): (&str, [&str; 2]),
    labels: &[&[u8]],
) -> RawIdentity {
    composed::single(text, host, metric_type, metric_name, labels)
}

/// How much of a line is repeated in the log.
const SHOWN_BYTES_MAX: usize = 64;

pub(super) fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)]).into_owned()
}

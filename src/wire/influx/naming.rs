//! From what stands before the fields to a server and a series. Runs when the catalog meets a spelling for the first
//! time.

use crate::model::series::LABELS_MAX;
use crate::model::{Code, Identity, IdentityError, Labels, RawIdentity};
use crate::wire::composed::check_host;

type Refused = (Code, String);

/// Which tag names the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The tags that may, the first one that a point has does.
    pub host_tags: Vec<String>,
    /// The server of points that have none of them.
    pub default_host: String,
}

impl Default for Naming {
    fn default() -> Self {
        Self { host_tags: vec!["host".to_owned(), "hostname".to_owned()], default_host: "influx".to_owned() }
    }
}

type Pair = (Box<str>, Box<str>);

impl Naming {
    /// The host name of the server that the line of `raw` speaks of.
    ///
    /// # Errors
    /// The code and the message to refuse the line with: its tags cannot be read, or cannot name a series.
    pub fn host(&self, body: &[u8], raw: RawIdentity) -> Result<String, Refused> {
        let (host, labels) = self.split(body, raw)?;
        Labels::new(labels).map_err(refused)?;
        let host = host.map_or_else(|| self.default_host.clone(), |(_, host)| host.into_string());
        check_host(&host)?;
        Ok(host)
    }

    /// The series that `raw` spells.
    ///
    /// # Errors
    /// The code and the message to refuse the samples with.
    pub fn identity(&self, body: &[u8], raw: RawIdentity) -> Result<Identity, Refused> {
        let (_, labels) = self.split(body, raw)?;
        let metric_type = unescaped(raw.metric_type.of(body), b", ")?;
        let metric_name = unescaped(raw.metric_name.of(body), b",= ")?;
        Identity::new(&metric_type, &metric_name, Labels::new(labels).map_err(refused)?).map_err(refused)
    }

    /// The tag that names the server, and the others.
    fn split(&self, body: &[u8], raw: RawIdentity) -> Result<(Option<Pair>, Vec<Pair>), Refused> {
        if raw.labels.start == raw.metric_type.end {
            return Ok((None, Vec::new()));
        }
        let mut tags = tags(raw.labels.of(body))?;
        let is_host = |name: &String| tags.iter().position(|(tag, _)| **tag == **name);
        let host = self.host_tags.iter().find_map(is_host).map(|place| tags.remove(place));
        if tags.len() > LABELS_MAX {
            return Err(refused(IdentityError::TooManyLabels { count: tags.len() }));
        }
        Ok((host, tags))
    }
}

/// Reads `name=value`, with commas between.
fn tags(raw: &[u8]) -> Result<Vec<Pair>, Refused> {
    let mut tags = Vec::new();
    for tag in split_unescaped(raw, b',') {
        if tags.len() > LABELS_MAX {
            let count = split_unescaped(raw, b',').count();
            return Err(refused(IdentityError::TooManyLabels { count }));
        }
        let mut parts = split_unescaped(tag, b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let missing = |what: &str| Err((Code::InvalidLabels, what.to_owned()));
        match (name, value, parts.next()) {
            (b"", ..) => return missing("missing tag key"),
            (_, b"", _) => return missing("missing tag value"),
            (.., Some(_)) => return missing("invalid tag format"),
            (name, value, None) => tags.push((unescaped(name, b",= ")?, unescaped(value, b",= ")?)),
        }
    }
    Ok(tags)
}

/// The parts between those `mark`s that no backslash stands before. A backslash takes the next byte with it, whatever
/// that is.
fn split_unescaped(text: &[u8], mark: u8) -> impl Iterator<Item = &[u8]> {
    let mut escaped = false;
    text.split(move |byte| {
        let is_mark = !escaped && *byte == mark;
        escaped = !escaped && *byte == b'\\';
        is_mark
    })
}

/// Takes away the backslashes before `marks`; before anything else they are text.
fn unescaped(raw: &[u8], marks: &[u8]) -> Result<Box<str>, Refused> {
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(next) if byte == b'\\' && marks.contains(next) => {}
            Some(b'\\') if byte == b'\\' => {
                text.extend(bytes.next());
                text.push(byte);
            }
            _ => text.push(byte),
        }
    }
    let text = String::from_utf8(text).map_err(|_| (Code::InvalidText, "a name or tag is not UTF-8".to_owned()))?;
    Ok(text.into_boxed_str())
}

fn refused(error: IdentityError) -> Refused {
    (Code::of_identity(&error), error.to_string())
}

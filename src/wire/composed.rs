//! Identities put together by a decoder, for dialects whose bodies do not spell out a series in one piece: JSON trees,
//! tables of symbols, attributes inherited from above.
//!
//! The decoder writes the parts one after the other into a text of its own and points into that; the catalog then meets
//! the same bytes for the same series, whatever the dialect. Each part has its length before it, so any text may stand
//! in it.
//!
//! ```text
//! head (the key of a line):  host · metric type · name · value · name · value …
//! then, a sample each:       metric name
//!
//! or, a head for one sample: host · metric type · metric name · name · value …
//! ```

use crate::model::series::LABELS_MAX;
use crate::model::{Code, Identity, IdentityError, Labels, RawIdentity, Span};

/// Longest host name, in bytes; DNS allows no more. The same for every dialect.
pub const HOST_BYTES_MAX: usize = 255;
/// Whether there can be a host of this name.
///
/// # Errors
/// The code and the message to refuse what speaks of it with.
pub fn check_host(host: &str) -> Result<(), Refused> {
    if host.len() <= HOST_BYTES_MAX && !host.contains('\0') {
        return Ok(());
    }
    let message = format!("host name is {} bytes long, at most {HOST_BYTES_MAX} without a NUL", host.len());
    Err((Code::InvalidText, message))
}

/// How the length of a part is written.
type Length = u32;
const LENGTH_BYTES: usize = size_of::<Length>();

type Refused = (Code, String);

/// What several samples share: their server, their metric type and their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    metric_type: Span,
    labels: Span,
}

/// Begins a head at the end of `text`.
#[must_use]
pub fn begin(text: &mut Vec<u8>, host: &str, metric_type: &str) -> Head {
    let start = text.len();
    push(text, host);
    push(text, metric_type);
    let end = text.len();
    Head { metric_type: Span::new(start, end), labels: Span::new(end, end) }
}

impl Head {
    /// Adds a label. Nothing else may have been written to `text` since the head began.
    pub fn label(&mut self, text: &mut Vec<u8>, name: &str, value: &str) {
        push(text, name);
        push(text, value);
        self.labels.end = Span::new(0, text.len()).end;
    }

    /// A series of this head.
    pub fn named(self, text: &mut Vec<u8>, metric_name: &str) -> RawIdentity {
        let start = text.len();
        text.extend_from_slice(metric_name.as_bytes());
        RawIdentity { metric_type: self.metric_type, metric_name: Span::new(start, text.len()), labels: self.labels }
    }
}

/// Appends a label to a text of labels, for [`single`].
pub fn label(labels: &mut Vec<u8>, name: &str, value: &str) {
    push(labels, name);
    push(labels, value);
}

/// A series with a head of its own, for dialects whose samples share next to nothing: the name stands before the labels
/// and so belongs to the key of the line. `metric_name` comes in pieces, `labels` are texts that [`label`] wrote.
pub fn single(
    text: &mut Vec<u8>,
    host: &str,
    metric_type: &str,
    metric_name: [&str; 2],
    labels: &[&[u8]],
) -> RawIdentity {
    let start = text.len();
    push(text, host);
    push(text, metric_type);
    let name_start = text.len();
    metric_name.iter().for_each(|piece| text.extend_from_slice(piece.as_bytes()));
    let name_end = text.len();
    labels.iter().for_each(|labels| text.extend_from_slice(labels));
    RawIdentity {
        metric_type: Span::new(start, name_start),
        metric_name: Span::new(name_start, name_end),
        labels: Span::new(name_end, text.len()),
    }
}

/// The host name of the server that `raw` speaks of.
///
/// # Errors
/// The code and the message to refuse its samples with.
pub fn host(text: &[u8], raw: RawIdentity) -> Result<String, Refused> {
    let mut parts = Parts(raw.metric_type.of(text));
    let host = parts.next_text("the host name")?;
    if host.is_empty() || host.len() > HOST_BYTES_MAX || host.contains('\0') {
        let message =
            format!("host name is {} bytes long, 1 to {HOST_BYTES_MAX} without a NUL are allowed", host.len());
        return Err((Code::InvalidText, message));
    }
    labels(text, raw)?;
    Ok(host.to_owned())
}

/// The series that `raw` spells.
///
/// # Errors
/// The code and the message to refuse its samples with.
pub fn identity(text: &[u8], raw: RawIdentity) -> Result<Identity, Refused> {
    let mut parts = Parts(raw.metric_type.of(text));
    parts.next_text("the host name")?;
    let metric_type = parts.next_text("the metric type")?;
    let metric_name = utf8(raw.metric_name.of(text), "the metric name")?;
    Identity::new(metric_type, metric_name, labels(text, raw)?).map_err(refused)
}

fn labels(text: &[u8], raw: RawIdentity) -> Result<Labels, Refused> {
    let mut parts = Parts(raw.labels.of(text));
    let mut pairs: Vec<(Box<str>, Box<str>)> = Vec::new();
    while !parts.0.is_empty() {
        if pairs.len() > LABELS_MAX {
            return Err(refused(IdentityError::TooManyLabels { count: pairs.len() }));
        }
        let (name, value) = (parts.next_text("a label name")?, parts.next_text("a label value")?);
        pairs.push((name.into(), value.into()));
    }
    Labels::new(pairs).map_err(refused)
}

fn push(text: &mut Vec<u8>, part: &str) {
    // A part too long for its length does not fit a body either; cut, it is refused for its length all the same.
    let length = Length::try_from(part.len()).unwrap_or(Length::MAX);
    text.extend_from_slice(&length.to_le_bytes());
    text.extend_from_slice(part.as_bytes());
}

struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn next_text(&mut self, what: &str) -> Result<&'a str, Refused> {
        let cut = || (Code::InvalidText, format!("{what} is cut off"));
        let (length, rest) = self.0.split_first_chunk::<LENGTH_BYTES>().ok_or_else(cut)?;
        let length = Length::from_le_bytes(*length) as usize;
        let (part, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        utf8(part, what)
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
    use proptest::prelude::*;

    use super::*;
    use crate::model::series::LABEL_NAME_BYTES_MAX;

    fn compose(host: &str, metric_type: &str, labels: &[(String, String)], name: &str) -> (Vec<u8>, RawIdentity) {
        let mut text = b"what was written before".to_vec();
        let mut head = begin(&mut text, host, metric_type);
        labels.iter().for_each(|(name, value)| head.label(&mut text, name, value));
        let raw = head.named(&mut text, name);
        (text, raw)
    }

    proptest! {
        #[test]
        fn what_was_composed_is_read_back(
            host_name in "[^\0]{1,40}", metric_type in "[^\0]{1,40}", name in "[^\0]{1,40}",
            labels in prop::collection::btree_map("[^\0]{1,20}", "[^\0]{0,20}", 0..8),
        ) {
            let labels: Vec<(String, String)> = labels.into_iter().collect();
            let (text, raw) = compose(&host_name, &metric_type, &labels, &name);
            prop_assert_eq!(host(&text, raw).unwrap(), host_name);
            let found = identity(&text, raw).unwrap();
            prop_assert_eq!((found.metric_type(), found.metric_name()), (&*metric_type, &*name));
            let read: Vec<(String, String)> =
                found.labels().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(read, labels);
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..64), cuts in any::<[u8; 4]>()) {
            let at = |cut: u8| usize::from(cut).min(text.len());
            let mut cuts = cuts.map(at);
            cuts.sort_unstable();
            let raw = RawIdentity {
                metric_type: Span::new(cuts[0], cuts[1]),
                labels: Span::new(cuts[1], cuts[2]),
                metric_name: Span::new(cuts[2], cuts[3]),
            };
            drop((host(&text, raw), identity(&text, raw)));
        }
    }

    #[test]
    fn a_series_with_a_head_of_its_own_is_read_back_and_its_key_tells_it_from_all_others() {
        let mut labels = Vec::new();
        label(&mut labels, "le", "0.5");
        let mut text = b"before".to_vec();
        let raw = single(&mut text, "h", "histogram", ["size", "_bucket"], &[&labels, &[]]);
        assert_eq!(host(&text, raw).unwrap(), "h");
        let found = identity(&text, raw).unwrap();
        assert_eq!((found.metric_type(), found.metric_name()), ("histogram", "size_bucket"));
        assert_eq!(found.labels().get("le"), Some("0.5"));
        assert_eq!((raw.metric_type.start, raw.labels.end), (6, text.len() as u32));
    }

    #[test]
    fn labels_that_cannot_be_are_refused_with_the_reason() {
        let twice = [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        let (text, raw) = compose("h", "t", &twice, "n");
        assert_eq!(host(&text, raw).unwrap_err(), (Code::InvalidLabels, "label \"a\" appears twice".to_owned()));
        let long = [("a".repeat(LABEL_NAME_BYTES_MAX + 1), String::new())];
        let (text, raw) = compose("h", "t", &long, "n");
        assert_eq!(identity(&text, raw).unwrap_err().0, Code::InvalidText);
    }
}

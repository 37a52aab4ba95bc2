//! Series and what names them: a server, a metric type, a metric name and a set of labels.

use std::sync::Arc;

use uuid::Uuid;

use super::reach::Reach;

/// Longest metric type and metric name, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most labels on one series.
pub const LABELS_MAX: usize = 64;
/// Longest label name, in bytes.
pub const LABEL_NAME_BYTES_MAX: usize = 128;
/// All labels of a series together, in bytes: a page of answers holds thousands of them.
pub const LABELS_BYTES_MAX: usize = 8 * 1024;
/// Longest label value, in bytes.
pub const LABEL_VALUE_BYTES_MAX: usize = 1024;

/// The small integer a series is stored under. Positive, dense, never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

/// The small integer a server is stored under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(pub i32);

/// Canonical labels: sorted by name, names unique, within the limits of this module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

/// The canonical name of a series within its server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    metric_type: Box<str>,
    metric_name: Box<str>,
    labels: Labels,
}

/// Why a text cannot name a series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} is {bytes} bytes long, at most {bytes_max} are allowed")]
    TooLong { what: &'static str, bytes: usize, bytes_max: usize },
    #[error("{what} holds a NUL character")]
    Nul { what: &'static str },
    #[error("{count} labels, at most {LABELS_MAX} are allowed")]
    TooManyLabels { count: usize },
    #[error("the labels are {bytes} bytes long together, at most {LABELS_BYTES_MAX} are allowed")]
    LabelsTooLong { bytes: usize },
    #[error("label \"{name}\" appears twice")]
    DuplicateLabel { name: String },
}

/// A known series, with everything needed to print it.
#[derive(Debug, PartialEq, Eq)]
pub struct Series {
    pub id: SeriesId,
    pub server: ServerKey,
    pub server_id: Uuid,
    pub identity: Identity,
}

/// Where a series is found by its number, and whether its server is for someone.
pub trait SeriesDirectory: Send + Sync {
    fn series(&self, id: SeriesId) -> Option<Arc<Series>>;

    /// Whether the server is within reach. One that is not known is within the reach of everything only.
    fn is_within(&self, server_id: Uuid, reach: &Reach) -> bool;
}

impl Labels {
    /// Sorts and checks `pairs`.
    ///
    /// # Errors
    /// When a name is empty or appears twice, or a limit of this module is passed.
    pub fn new(mut pairs: Vec<(Box<str>, Box<str>)>) -> Result<Self, IdentityError> {
        if pairs.len() > LABELS_MAX {
            return Err(IdentityError::TooManyLabels { count: pairs.len() });
        }
        for (name, value) in &pairs {
            check_text("label name", name, 1, LABEL_NAME_BYTES_MAX)?;
            check_text("label value", value, 0, LABEL_VALUE_BYTES_MAX)?;
        }
        let bytes = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > LABELS_BYTES_MAX {
            return Err(IdentityError::LabelsTooLong { bytes });
        }
        pairs.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(IdentityError::DuplicateLabel { name: twice[0].0.to_string() });
        }
        Ok(Self(pairs.into_boxed_slice()))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
        Some(&self.0[place].1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Identity {
    /// # Errors
    /// When the type or the name is empty, too long or holds a NUL.
    pub fn new(metric_type: &str, metric_name: &str, labels: Labels) -> Result<Self, IdentityError> {
        check_text("metric_type", metric_type, 1, NAME_BYTES_MAX)?;
        check_text("metric_name", metric_name, 1, NAME_BYTES_MAX)?;
        Ok(Self { metric_type: metric_type.into(), metric_name: metric_name.into(), labels })
    }

    pub fn metric_type(&self) -> &str {
        &self.metric_type
    }

    pub fn metric_name(&self) -> &str {
        &self.metric_name
    }

    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// PostgreSQL cannot store a NUL in text or jsonb, so none may enter.
fn check_text(what: &'static str, text: &str, bytes_min: usize, bytes_max: usize) -> Result<(), IdentityError> {
    let bytes = text.len();
    if bytes < bytes_min {
        return Err(IdentityError::Empty { what });
    }
    if bytes > bytes_max {
        return Err(IdentityError::TooLong { what, bytes, bytes_max });
    }
    if text.contains('\0') {
        return Err(IdentityError::Nul { what });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn labels_are_equal_whatever_order_they_came_in() {
        let one = Labels::new(pairs(&[("b", "2"), ("a", "1")])).unwrap();
        let two = Labels::new(pairs(&[("a", "1"), ("b", "2")])).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.get("b"), Some("2"));
        assert_eq!(one.get("c"), None);
    }

    #[test]
    fn what_cannot_be_stored_is_refused_by_name() {
        let twice = Labels::new(pairs(&[("a", "1"), ("a", "2")])).unwrap_err();
        assert_eq!(twice.to_string(), "label \"a\" appears twice");
        let nul = Labels::new(pairs(&[("a", "\0")])).unwrap_err();
        assert_eq!(nul.to_string(), "label value holds a NUL character");
        let long = Identity::new(&"x".repeat(257), "n", Labels::default()).unwrap_err();
        assert_eq!(long.to_string(), "metric_type is 257 bytes long, at most 256 are allowed");
        let empty = Identity::new("t", "", Labels::default()).unwrap_err();
        assert_eq!(empty.to_string(), "metric_name is empty");
    }
}

//! The part of a URL after `?`: names and values, decoded, in order, names may repeat.

use super::percent;

/// More pairs than any client of ours sends; a longer list is refused rather than half read.
const PAIRS_MAX: usize = 256;
/// What is repeated to the client is bounded, whatever it sent.
const NAME_CHARS_SHOWN_MAX: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("the query has more than {PAIRS_MAX} parameters")]
    TooManyPairs,
    #[error("the query holds a broken percent escape or text that is not UTF-8")]
    Undecodable,
    /// No text of ours holds one, and PostgreSQL cannot take it.
    #[error("{name} holds a NUL character")]
    Nul { name: String },
    #[error("the name of a parameter holds a NUL character")]
    NulInName,
}

impl Query {
    /// # Errors
    /// When there are too many pairs or one cannot be decoded.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == PAIRS_MAX {
                return Err(QueryError::TooManyPairs);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |part| percent::decode(part, true).ok_or(QueryError::Undecodable);
            let (name, value) = (decode(name)?, decode(value)?);
            if name.contains('\0') {
                return Err(QueryError::NulInName);
            }
            if value.contains('\0') {
                return Err(QueryError::Nul { name: name.chars().take(NAME_CHARS_SHOWN_MAX).collect() });
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Names and values that were taken apart elsewhere.
    pub fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_values_are_decoded() {
        let query = Query::parse("a=1&b=x%26y+z&a=2&flag&&=v").unwrap();
        assert_eq!(query.get("a"), Some("1"), "the first");
        assert_eq!(query.pairs().filter(|(name, _)| *name == "a").count(), 2);
        assert_eq!(query.get("b"), Some("x&y z"));
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("missing"), None);
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        assert!(Query::parse(&"a=1&".repeat(PAIRS_MAX)).is_ok());
        assert_eq!(Query::parse(&"a=1&".repeat(PAIRS_MAX + 1)), Err(QueryError::TooManyPairs));
    }

    #[test]
    fn broken_escapes_and_nul_are_refused() {
        assert_eq!(Query::parse("a=%f"), Err(QueryError::Undecodable));
        assert_eq!(Query::parse("a=1&b=x%00"), Err(QueryError::Nul { name: "b".into() }));
        assert_eq!(Query::parse("%00=x"), Err(QueryError::NulInName));
    }
}

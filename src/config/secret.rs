//! Values that must never be printed.

use std::fmt;

/// Where the database is, with its password. Shown only as `[redacted]`, whoever asks.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes a URL (`postgres://…`) or the key-value form (`host=… user=…`). What it says in detail is for the
    /// PostgreSQL client to judge.
    pub fn parse(text: &str) -> Option<Self> {
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        let is_pairs = !text.contains("://") && text.split_ascii_whitespace().any(|pair| pair.starts_with("host="));
        (is_url || is_pairs).then(|| Self(text.to_owned()))
    }

    /// The text itself, for the PostgreSQL client and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A text that only its user may see. Shown only as `[redacted]`, whoever asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself, for the one that works with it and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([redacted])")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DatabaseUrl([redacted])")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_not_shown() {
        let url = DatabaseUrl::parse("postgres://ann:hunter2@db/m").unwrap();
        assert_eq!(format!("{url} {url:?}"), "[redacted] DatabaseUrl([redacted])");
        assert_eq!(url.reveal(), "postgres://ann:hunter2@db/m");
    }

    #[test]
    fn no_other_secret_is_shown() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(Secret([redacted]))");
    }

    #[test]
    fn both_forms_of_a_database_address_are_taken_and_others_are_not() {
        assert!(DatabaseUrl::parse("postgresql://db/m").is_some());
        assert!(DatabaseUrl::parse("host=/run/postgresql user=ann").is_some());
        assert!(DatabaseUrl::parse("mysql://db/m").is_none());
        assert!(DatabaseUrl::parse("db.example.org").is_none());
    }
}

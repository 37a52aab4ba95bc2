//! The environment, and the only place that reads the one of the process. Tests hand in their own.

use std::collections::BTreeMap;
use std::fmt;

use super::table;

/// Every variable of ours begins with this, apart from the few plain names that `table` lists.
pub(super) const PREFIX: &str = "MILLRACE_";

/// Names and values, ours only. Values may be secret, so only the names are shown.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .collect()
    }

    /// The value of `name`; an empty one counts as not given, since compose files pass unset variables as empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names that begin with [`PREFIX`].
    pub(super) fn prefixed_names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

/// Forgets what is not ours, so that nothing else can be read or shown by accident.
impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let is_ours = |name: &str| name.starts_with(PREFIX) || table::keys().any(|key| key.plain_name == Some(name));
        Self(variables.into_iter().filter(|(name, _)| is_ours(name)).collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown_and_foreign_variables_are_not_kept() {
        let environment = Environment::from([("DATABASE_URL", "postgres://a:b@c/d"), ("HOME", "/root")]);
        assert_eq!(format!("{environment:?}"), r#"{"DATABASE_URL"}"#);
        assert_eq!(environment.get("HOME"), None);
    }
}

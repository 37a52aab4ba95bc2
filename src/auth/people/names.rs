//! User names and e-mail addresses, and what passwords may be. No name leads to two people: one that could be an e-mail
//! address is one, so that nobody registers with the address of somebody else as a user name.

use super::PeopleError;
use crate::auth::passwords::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};

/// Longest user name and e-mail address.
pub(super) const NAME_BYTES_MAX: usize = 254;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) username: Option<String>,
    /// In lower case.
    pub(super) email: Option<String>,
}

impl Names {
    /// # Errors
    /// When there is neither, or one of them cannot be a name.
    pub(super) fn new(username: Option<&str>, email: Option<&str>) -> Result<Self, PeopleError> {
        let username = username.filter(|name| !name.is_empty());
        let given = email.map(normal_email).filter(|email| !email.is_empty());
        let of_username = username.filter(|name| name.contains('@')).map(normal_email);
        let email = match (given, of_username) {
            (Some(given), Some(other)) if given != other => {
                return Err(PeopleError::Invalid("a user name with an @ has to be the e-mail address"));
            }
            (given, other) => given.or(other),
        };
        if username.is_none() && email.is_none() {
            return Err(PeopleError::Invalid("give a user name or an e-mail address"));
        }
        if !username.is_none_or(is_name) {
            return Err(PeopleError::Invalid("a user name has 1 to 254 bytes and no control characters"));
        }
        if !email.as_deref().is_none_or(is_email) {
            return Err(PeopleError::Invalid("that is no e-mail address"));
        }
        Ok(Self { username: username.map(str::to_owned), email })
    }
}

pub(super) fn normal_email(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

/// The rule for passwords that are chosen in our own words.
pub(super) fn check_password(password: &str) -> Result<(), PeopleError> {
    match password.len() {
        PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX => Ok(()),
        _ => Err(PeopleError::Invalid("a password has 8 to 1024 bytes")),
    }
}

/// Whether anybody could have that name and that password at all.
pub(super) fn could_be(login: &str, password: &str) -> bool {
    is_name(login) && (1..=PASSWORD_BYTES_MAX).contains(&password.len())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn is_email(email: &str) -> bool {
    let parts = email.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    is_name(email) && parts.is_some() && !email.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(username: Option<&str>, email: Option<&str>) -> Option<(Option<String>, Option<String>)> {
        Names::new(username, email).ok().map(|names| (names.username, names.email))
    }

    fn pair(username: Option<&str>, email: Option<&str>) -> Option<(Option<String>, Option<String>)> {
        Some((username.map(str::to_owned), email.map(str::to_owned)))
    }

    #[test]
    fn a_user_name_that_could_be_an_address_is_one() {
        assert_eq!(names(Some("Bob"), None), pair(Some("Bob"), None));
        assert_eq!(names(None, Some(" Ann@Example.org ")), pair(None, Some("ann@example.org")));
        assert_eq!(names(Some("Ann@Example.org"), None), pair(Some("Ann@Example.org"), Some("ann@example.org")));
        assert_eq!(names(Some("eve@x"), Some("ann@example.org")), None);
        assert_eq!(names(Some("bob"), Some("ann@example.org")), pair(Some("bob"), Some("ann@example.org")));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (username, email) in
            [(None, None), (Some(""), Some("")), (Some("a\0b"), None), (None, Some("ann")), (None, Some("a b@c"))]
        {
            assert_eq!(names(username, email), None, "{username:?} {email:?}");
        }
        assert_eq!(names(Some(&"x".repeat(NAME_BYTES_MAX + 1)), None), None);
    }
}

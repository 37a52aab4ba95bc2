//! The labels in the path of a push: `{job}/label/value/…`, a name that ends in `@base64` having its value encoded.

/// The label that each group has.
const JOB: &str = "job";
const BASE64_SUFFIX: &str = "@base64";
/// Names that begin so are Prometheus' own.
const RESERVED: &str = "__";
/// Labels of one path.
const LABELS_MAX: usize = 64;

/// Labels that all samples of a push have, whatever they say themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping(Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupingError {
    #[error("job name is required")]
    NoJob,
    #[error("odd number of components in the labels of the path")]
    Odd,
    #[error("improper label name {name:?}")]
    Name { name: String },
    #[error("label {name:?} appears twice")]
    Twice { name: String },
    #[error("the value of label {name:?} is not base64 of UTF-8")]
    Base64 { name: String },
    #[error("more than {LABELS_MAX} labels")]
    TooMany,
}

impl Grouping {
    /// `path` is what follows the name of the label `job`, decoded.
    ///
    /// # Errors
    /// When it is not pairs of names and values, or names no job.
    pub fn of_path(path: &str, job_is_base64: bool) -> Result<Self, GroupingError> {
        let (job, rest) = path.split_once('/').unwrap_or((path, ""));
        let suffix = if job_is_base64 { BASE64_SUFFIX } else { "" };
        let mut grouping = Self::default();
        grouping.add(&format!("{JOB}{suffix}"), job)?;
        if grouping.0.iter().any(|(_, value)| value.is_empty()) {
            return Err(GroupingError::NoJob);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let mut components = rest.split('/').filter(|_| !rest.is_empty());
        while let Some(name) = components.next() {
            grouping.add(name, components.next().ok_or(GroupingError::Odd)?)?;
        }
        Ok(grouping)
    }

    /// Adds a label that is written as `name=value`.
    ///
    /// # Errors
    /// When it is not, or its name cannot be.
    pub fn add_pair(&mut self, pair: &str) -> Result<(), GroupingError> {
        let (name, value) = pair.split_once('=').ok_or(GroupingError::Odd)?;
        self.add(name, value)
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), GroupingError> {
        let (plain, is_base64) = name.strip_suffix(BASE64_SUFFIX).map_or((name, false), |plain| (plain, true));
        let improper = || GroupingError::Name { name: name.chars().take(LABELS_MAX).collect() };
        if plain.starts_with(RESERVED) || !is_label_name(plain) {
            return Err(improper());
        }
        if self.0.iter().any(|(known, _)| known == plain) {
            return Err(GroupingError::Twice { name: plain.to_owned() });
        }
        if self.0.len() >= LABELS_MAX {
            return Err(GroupingError::TooMany);
        }
        let decoded = || {
            let bytes = base64(value.trim_end_matches('='))?;
            String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
        };
        let value = if is_base64 { decoded() } else { Some(value.to_owned()) };
        let value = value.ok_or_else(|| GroupingError::Base64 { name: plain.to_owned() })?;
        self.0.push((plain.to_owned(), value));
        Ok(())
    }
}

fn is_label_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// RFC 4648 in the alphabet for URLs, without padding. Bits that are left over must be none.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (held < 6 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_pairs_of_names_and_values() {
        let labels = |path: &str| Grouping::of_path(path, false).map(|grouping| grouping.0);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(labels("a"), Ok(vec![pair("job", "a")]));
        assert_eq!(labels("a/"), Ok(vec![pair("job", "a")]));
        let path = "a/instance/web-1/path@base64/L3Zhci90bXA/empty@base64/=";
        let expected = vec![pair("job", "a"), pair("instance", "web-1"), pair("path", "/var/tmp"), pair("empty", "")];
        assert_eq!(labels(path), Ok(expected));
        let base64 = Grouping::of_path("ZGlyZWN0b3J5L2NsZWFuZXI=/x/y", true).unwrap();
        assert_eq!(base64.0[0], pair("job", "directory/cleaner"));
    }

    #[test]
    fn what_is_no_pair_or_no_name_is_refused() {
        let error = |path: &str| Grouping::of_path(path, false).unwrap_err();
        assert_eq!(error("a/b"), GroupingError::Odd);
        assert_eq!(error("/b/c"), GroupingError::NoJob);
        assert_eq!(error("a/__name__/x"), GroupingError::Name { name: "__name__".to_owned() });
        assert_eq!(error("a/1x/x"), GroupingError::Name { name: "1x".to_owned() });
        assert_eq!(error("a/job/x"), GroupingError::Twice { name: "job".to_owned() });
        for bad in ["a/x@base64/A", "a/x@base64/A+", "a/x@base64/_w", "a/x@base64/YR"] {
            assert_eq!(error(bad), GroupingError::Base64 { name: "x".to_owned() }, "{bad}");
        }
        let many: Vec<String> = (0..LABELS_MAX).map(|place| format!("/l{place}/x")).collect();
        assert_eq!(error(&format!("a{}", many.join(""))), GroupingError::TooMany);
    }
}

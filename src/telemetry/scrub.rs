//! Takes secrets out of a line that is logged or kept: query strings, the user part of URLs, authorization headers and named passwords.
//!
//! It errs on the side of taking out too much. What it puts in has no quote and no backslash, so JSON stays JSON.

use std::ops::Range;

const REDACTED: &str = "[redacted]";

/// Names that stand before a secret, in lower case.
const NAMES: [&str; 8] = ["password", "passwd", "secret", "token", "api_key", "api-key", "authorization", "signature"];
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// The same line without what looks like a secret.
pub fn scrub(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut secrets: Vec<Range<usize>> =
        queries(&lower).chain(user_parts(&lower)).chain(after_schemes(&lower)).chain(named(&lower)).collect();
    secrets.sort_unstable_by_key(|secret| secret.start);
    let mut clean = String::with_capacity(line.len());
    let mut done = 0;
    for secret in secrets {
        if secret.start >= done {
            clean.push_str(&line[done..secret.start]);
            clean.push_str(REDACTED);
        }
        done = done.max(secret.end);
    }
    clean.push_str(&line[done..]);
    clean
}

/// What follows a `?`, when it looks like `name=`.
fn queries(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices('?').filter_map(|(place, _)| {
        let end = end_of_word(line, place + 1);
        let name = line[place + 1..end].split_once('=')?.0;
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.~%[]".contains(&byte);
        (!name.is_empty() && name.bytes().all(belongs)).then_some(place + 1..end)
    })
}

/// What stands between `://` and the last `@` of the word.
fn user_parts(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("://").filter_map(|(place, separator)| {
        let start = place + separator.len();
        let at = line[start..end_of_word(line, start)].rfind('@')?;
        Some(start..start + at)
    })
}

fn after_schemes(line: &str) -> impl Iterator<Item = Range<usize>> {
    let ends = SCHEMES.into_iter().flat_map(|scheme| line.match_indices(scheme));
    ends.map(|(place, scheme)| place + scheme.len())
        .map(|start| start..end_of_word(line, start))
        .filter(|secret| !secret.is_empty())
}

/// The value after a name and `=` or `:`, whatever quotes and colours stand around them.
fn named(line: &str) -> impl Iterator<Item = Range<usize>> {
    NAMES.into_iter().flat_map(|name| line.match_indices(name)).filter_map(|(place, name)| {
        let separator = skip(line, place + name.len(), b"\"\\");
        let separated = skip(line, separator, b"=: ");
        let start = skip(line, separated, b"\"\\' ");
        let end = end_of_word(line, start);
        (line[separator..separated].contains(['=', ':']) && start < end).then_some(start..end)
    })
}

/// The end of the run of bytes that may belong to a URL or a secret.
fn end_of_word(line: &str, start: usize) -> usize {
    let ends = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`<>()\\,;".contains(&byte);
    line.bytes().skip(start).position(ends).map_or(line.len(), |length| start + length)
}

/// Passes over bytes of `which` and over terminal colours.
fn skip(line: &str, mut place: usize, which: &[u8]) -> usize {
    let bytes = line.as_bytes();
    loop {
        match bytes.get(place) {
            Some(byte) if which.contains(byte) => place += 1,
            Some(0x1b) => match line[place..].find('m') {
                Some(length) => place += length + 1,
                None => return place,
            },
            _ => return place,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        for (line, clean) in [
            ("GET /a?token=x&b=c 200", "GET /a?[redacted] 200"),
            ("uri=\"/a?q=1\" next", "uri=\"/a?[redacted]\" next"),
            ("postgres://ann:p@ss@db/m failed", "postgres://[redacted]@db/m failed"),
            ("Authorization: Bearer abc.def", "Authorization: [redacted] [redacted]"),
            ("sent bearer abc", "sent bearer [redacted]"),
            ("host=db password=hunter2 user=ann", "host=db password=[redacted] user=ann"),
            (r#"{"password":"hunter2","a":1}"#, r#"{"password":"[redacted]","a":1}"#),
            (r#"{"m":"{\"api_key\": \"k\"}"}"#, r#"{"m":"{\"api_key\": \"[redacted]\"}"}"#),
            (
                "\u{1b}[3mtoken\u{1b}[0m\u{1b}[2m=\u{1b}[0mabc x",
                "\u{1b}[3mtoken\u{1b}[0m\u{1b}[2m=\u{1b}[0m[redacted] x",
            ),
        ] {
            assert_eq!(scrub(line), clean);
        }
    }

    #[test]
    fn other_lines_are_left_as_they_are() {
        for line in ["ready? yes", "http://db/m", "a token was refused", "why?", "x@y", "µ ? = é", ""] {
            assert_eq!(scrub(line), line);
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_before_a_secret_it_is_taken_out(
            before in r#"(token|password|[a-zé ]|bearer |[?]|=|://|@|"|\\|:|\x1b\[0m){0,20}"#,
            marker in prop::sample::select(vec!["password=", "token: ", "\"secret\":\"", "x Bearer ", "/?key="]),
        ) {
            let clean = scrub(&format!("{before}{marker}hunter2 after"));
            prop_assert!(!clean.contains("hunter2"), "{}", clean);
        }
    }
}

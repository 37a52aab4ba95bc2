//! Percent-decoding of path segments and query parts, to text. Knows nothing of their meaning.

/// `None` when an escape is broken or what it spells is not UTF-8. With `plus_is_space`, as in queries and forms.
pub(in crate::http) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let needs_work = |byte: u8| byte == b'%' || (plus_is_space && byte == b'+');
    if !text.bytes().any(needs_work) {
        return Some(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_refused() {
        assert_eq!(decode("a%20b%C3%a9", false).as_deref(), Some("a b\u{e9}"));
        assert_eq!(decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(decode("a+b%2B", true).as_deref(), Some("a b+"));
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode(broken, false), None, "{broken}");
        }
    }
}

//! One field of CSV, as RFC 4180 says: quoted when it must be, quotes within doubled.

/// Appends a field.
pub fn csv_text(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_would_break_the_line() {
        for (text, expected) in [("plain", "plain"), ("a,b", "\"a,b\""), ("{\"a\":\"1\"}", "\"{\"\"a\"\":\"\"1\"\"}\"")]
        {
            let mut out = Vec::new();
            csv_text(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

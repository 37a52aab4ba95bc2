//! Writing JSON: strings and numbers, straight into a buffer of bytes.

/// Appends `text` in quotes, with quotes, backslashes and control characters escaped.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        let special = rest[place];
        out.extend_from_slice(&rest[..place]);
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(special >> 4)],
                HEX[usize::from(special & 15)],
            ]),
        }
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends the shortest number that reads back as `value`, integers without a fraction. JSON has no NaN and no
/// infinities, so they become `null`.
pub fn write_json_number(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    let mut digits = zmij::Buffer::new();
    let digits = digits.format_finite(value);
    out.extend_from_slice(digits.strip_suffix(".0").unwrap_or(digits).as_bytes());
}

//! Values as Python prints them: some of the systems put them into texts that their clients read.

use std::fmt::Write as _;

use crate::wire::json::Kind;
use crate::wire::tree::Value;

/// Longest text that is made of one value; what is longer is cut.
const REPR_BYTES_MAX: usize = 2_000;

/// What `repr` makes of a value.
pub fn repr(value: Value<'_>) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// What `repr` makes of a text.
pub fn repr_text(text: &str) -> String {
    // Double quotes only where single ones would have to be escaped and double ones not.
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in text.chars() {
        if out.len() > REPR_BYTES_MAX {
            break;
        }
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            // Writing to a `String` cannot fail.
            _ if character.is_control() => write!(out, "\\x{:02x}", character as u32).unwrap_or_default(),
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

/// What `str` makes of a float: the shortest digits that are it, with an exponent where Python has one.
pub fn float(number: f64) -> String {
    /// Python writes an exponent from here on.
    const LARGE: f64 = 1e16;
    const SMALL: f64 = 1e-4;
    let size = number.abs();
    if number == 0.0 || !number.is_finite() || (SMALL..LARGE).contains(&size) {
        return if number.is_finite() { format!("{number:?}") } else { number.to_string().to_lowercase() };
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A number as Python prints it: as it was written when it is an integer.
pub fn number(value: Value<'_>) -> String {
    let raw = String::from_utf8_lossy(value.raw());
    if raw.contains(['.', 'e', 'E']) { float(value.number().unwrap_or(f64::INFINITY)) } else { raw.into_owned() }
}

fn write(value: Value<'_>, out: &mut String) {
    if out.len() > REPR_BYTES_MAX {
        return;
    }
    match value.kind() {
        Kind::Null => out.push_str("None"),
        Kind::Boolean => out.push_str(if value.boolean() == Some(true) { "True" } else { "False" }),
        Kind::Number => out.push_str(&number(value)),
        Kind::String => out.push_str(&repr_text(&value.text().unwrap_or_default())),
        Kind::Array => {
            out.push('[');
            for (place, element) in value.elements().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                write(element, out);
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            for (place, (name, member)) in value.members().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                out.push_str(&repr_text(&name));
                out.push_str(": ");
                write(member, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tree::{Leniency, Tree};

    #[test]
    fn values_look_as_python_shows_them() {
        let document = r#"{"a": [1, 1.0, -0.5, true, null], "it's": "q\"'\n\u0001"}"#;
        let tree = Tree::read(document.as_bytes(), Leniency::Strict).unwrap();
        assert_eq!(repr(tree.root()), r#"{'a': [1, 1.0, -0.5, True, None], "it's": 'q"\'\n\x01'}"#);
    }

    #[test]
    fn floats_have_an_exponent_where_python_writes_one() {
        let cases = [
            (90.0, "90.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (9999999999999998.0, "9999999999999998.0"),
            (-0.0, "-0.0"),
        ];
        for (number, expected) in cases {
            assert_eq!(float(number), expected);
        }
    }
}

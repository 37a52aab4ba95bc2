//! Texts from outside as PostgreSQL takes them: no NUL, no longer than they may be.

use serde_json::Value;

/// What stands for a NUL, which PostgreSQL knows in no text.
const INSTEAD_OF_NUL: &str = "\u{fffd}";
/// How JSON spells a NUL, perhaps as part of a longer text.
const SPELT_NUL: &str = "\\u0000";

/// The text without NULs, cut at `bytes_max`, between two characters.
pub(super) fn stored(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    text[..end].replace('\0', INSTEAD_OF_NUL)
}

/// The value as text for jsonb.
pub(super) fn stored_json(value: &Value) -> String {
    let text = value.to_string();
    if text.contains(SPELT_NUL) { without_nul(value).to_string() } else { text }
}

/// A pattern for `ILIKE` that finds texts with `text` in them.
pub(super) fn within(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn without_nul(value: &Value) -> Value {
    let text = |text: &str| text.replace('\0', INSTEAD_OF_NUL);
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.iter().map(without_nul).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (text(name), without_nul(field))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_hold_no_nul() {
        assert_eq!(stored("aé", 2), "a");
        assert_eq!(stored("a\0b", 9), "a\u{fffd}b");
        assert_eq!(stored_json(&json!({ "a\0": ["\0", { "b": 1 }] })), "{\"a\u{fffd}\":[\"\u{fffd}\",{\"b\":1}]}");
        assert_eq!(stored_json(&json!("\\u0000")), "\"\\\\u0000\"", "a backslash is none");
    }

    #[test]
    fn what_is_looked_for_is_no_pattern() {
        assert_eq!(within("50%_\\"), "%50\\%\\_\\\\%");
    }
}

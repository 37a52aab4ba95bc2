//! Why one item is refused: small while the item is read, spelt out only when the verdict will be listed.

use super::field::Field;
use crate::model::{Code, Span};
use crate::wire::json::Kind;

/// How much of a client's own text is repeated in a message, in characters.
const TEXT_SHOWN_CHARS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotAnObject { got: Kind },
    WrongType { field: Field, got: Kind },
    Missing { field: Field },
    NoServer,
    Duplicate { field: Field },
    NotFinite { token: Span },
    OutOfRange { number: Span },
    Spelling { text: Span },
    Timestamp { text: Span },
    ServerId { text: Span },
}

impl Refusal {
    pub(super) fn code(self) -> Code {
        match self {
            Self::WrongType { field: Field::Labels, .. } => Code::InvalidLabels,
            Self::NotAnObject { .. } | Self::WrongType { .. } | Self::Spelling { .. } => Code::InvalidType,
            Self::Missing { .. } | Self::NoServer => Code::MissingField,
            Self::Duplicate { .. } => Code::DuplicateField,
            Self::NotFinite { .. } => Code::NotFinite,
            Self::OutOfRange { .. } => Code::NumberOutOfRange,
            Self::Timestamp { .. } => Code::InvalidTimestamp,
            Self::ServerId { .. } => Code::InvalidServerId,
        }
    }

    pub(super) fn message(self, body: &[u8]) -> String {
        let shown = |span: Span| shown(span.of(body));
        match self {
            Self::NotAnObject { got } => format!("an item must be an object, got {got}"),
            Self::WrongType { field, got } => format!("{} must be {}, got {got}", field.name(), expected(field)),
            Self::Missing { field } => format!("{} is required", field.name()),
            Self::NoServer => "server_id is required, in the item or beside metrics".to_owned(),
            Self::Duplicate { field } => format!("{} appears twice", field.name()),
            Self::NotFinite { token } => format!("value must be finite, got {}", shown(token)),
            Self::OutOfRange { number } => format!("value {} is too large for a 64-bit float", shown(number)),
            Self::Spelling { text } => format!("value must be a number, NaN, +Inf or -Inf, got \"{}\"", shown(text)),
            Self::Timestamp { text } => format!("timestamp must be RFC 3339, got \"{}\"", shown(text)),
            Self::ServerId { text } => format!("server_id must be a UUID, got \"{}\"", shown(text)),
        }
    }
}

/// The beginning of a client's text, short enough to be repeated to it.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * TEXT_SHOWN_CHARS_MAX)]);
    match text.char_indices().nth(TEXT_SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

fn expected(field: Field) -> &'static str {
    match field {
        Field::Value => "a number",
        Field::Labels => "an object",
        _ => "a string",
    }
}

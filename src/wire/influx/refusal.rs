//! Why a line or a field is refused: small while it is read, spelt out only when the verdict will be listed.

use memchr::memchr;

use super::{KEY_BYTES_MAX, LINE_BYTES_MAX};
use crate::model::{Code, Span};

/// How much of a client's own text is repeated to it, in bytes.
const SHOWN_BYTES_MAX: usize = 64;
const LINE_SHOWN_BYTES_MAX: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    MissingMeasurement,
    MissingFields,
    MissingFieldName,
    MissingFieldValue { name: Span },
    BadValue { word: Span },
    OpenText { start: u32 },
    BadTimestamp { start: u32 },
    TimestampOutOfRange { word: Span },
    LineTooLong { bytes: usize },
    KeyTooLong { bytes: usize },
    // From here on it is a field that is refused, not its line.
    Text,
    NotFinite { word: Span },
    OutOfRange { word: Span },
    InexactInteger { word: Span },
    NegativeUnsigned { word: Span },
}

impl Refusal {
    pub(super) fn code(self) -> Code {
        match self {
            Self::MissingMeasurement | Self::MissingFields => Code::MissingField,
            Self::MissingFieldName | Self::MissingFieldValue { .. } => Code::MissingField,
            Self::BadValue { .. } | Self::OpenText { .. } | Self::Text => Code::InvalidType,
            Self::BadTimestamp { .. } | Self::TimestampOutOfRange { .. } => Code::InvalidTimestamp,
            Self::LineTooLong { .. } | Self::KeyTooLong { .. } => Code::InvalidText,
            Self::NotFinite { .. } => Code::NotFinite,
            Self::OutOfRange { .. } | Self::InexactInteger { .. } => Code::NumberOutOfRange,
            Self::NegativeUnsigned { .. } => Code::NumberOutOfRange,
        }
    }

    pub(super) fn message(self, body: &[u8]) -> String {
        let shown = |span: Span| shown(span.of(body), SHOWN_BYTES_MAX);
        let rest = |start: u32| {
            let rest = body.get(start as usize..).unwrap_or_default();
            self::shown(rest.split(|byte| *byte == b'\n').next().unwrap_or_default(), SHOWN_BYTES_MAX)
        };
        match self {
            Self::MissingMeasurement => "missing measurement".to_owned(),
            Self::MissingFields => "missing fields".to_owned(),
            Self::MissingFieldName => "missing field key".to_owned(),
            Self::MissingFieldValue { name } if name.of(body).is_empty() => "missing field value".to_owned(),
            Self::MissingFieldValue { name } => format!("missing field value of '{}'", shown(name)),
            Self::BadValue { word } => format!("invalid number, boolean or string '{}'", shown(word)),
            Self::OpenText { start } => format!("unbalanced quotes at '{}'", rest(start)),
            Self::BadTimestamp { start } => format!("bad timestamp '{}'", rest(start)),
            Self::TimestampOutOfRange { word } => format!("timestamp '{}' is out of range", shown(word)),
            Self::LineTooLong { bytes } => {
                format!("the line is {bytes} bytes long, at most {LINE_BYTES_MAX} are allowed")
            }
            Self::KeyTooLong { bytes } => {
                format!("measurement and tags are {bytes} bytes long, at most {KEY_BYTES_MAX} are allowed")
            }
            Self::Text => "a string cannot be stored, only numbers and booleans can".to_owned(),
            Self::NotFinite { word } => format!("a value must be finite, got '{}'", shown(word)),
            Self::OutOfRange { word } => format!("'{}' is too large for a 64-bit float", shown(word)),
            Self::InexactInteger { word } => {
                format!("integer '{}' is beyond 2^53, a 64-bit float would make another number of it", shown(word))
            }
            Self::NegativeUnsigned { word } => format!("unsigned integer '{}' is negative", shown(word)),
        }
    }
}

/// Finds lines of a body by their position, in one pass when they are asked for in order.
#[derive(Debug)]
pub struct ShownLines<'a> {
    body: &'a [u8],
    line: u32,
    start: usize,
}

impl<'a> ShownLines<'a> {
    pub fn of(body: &'a [u8]) -> Self {
        Self { body, line: 0, start: 0 }
    }

    /// The beginning of the line at this 0-based position, short enough to be repeated to the client.
    pub fn show(&mut self, line: u32) -> String {
        if line < self.line {
            *self = Self::of(self.body);
        }
        let rest = |start: usize| self.body.get(start..).unwrap_or_default();
        while self.line < line && self.start < self.body.len() {
            self.start = memchr(b'\n', rest(self.start)).map_or(self.body.len(), |length| self.start + length + 1);
            self.line += 1;
        }
        let length = memchr(b'\n', rest(self.start)).unwrap_or(self.body.len() - self.start);
        let line = &rest(self.start)[..length];
        shown(line.strip_suffix(b"\r").unwrap_or(line), LINE_SHOWN_BYTES_MAX)
    }
}

pub(super) fn shown(text: &[u8], bytes_max: usize) -> String {
    match text.get(..bytes_max) {
        Some(beginning) => format!("{}...", String::from_utf8_lossy(beginning)),
        None => String::from_utf8_lossy(text).into_owned(),
    }
}

//! Why something is not taken: a fault of the whole body, or the refusal of one series, line or sample.

use super::protobuf::Malformed;
use super::{BUCKETS_MAX, KEY_BYTES_MAX, LINE_BYTES_MAX};
use crate::model::Code;

/// How much of a client's own text is repeated to it, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Why nothing of a body is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("not a protobuf message: {reason}")]
    Malformed { reason: String },
    /// It comes to more than the room that was given.
    #[error("the body comes to more samples or longer names than there is room for")]
    NoRoom,
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed { reason: malformed.to_string() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("timestamp {millis} is out of range")]
    TimestampOutOfRange { millis: i64 },
    #[error("the labels are {bytes} bytes long, at most {KEY_BYTES_MAX} are allowed")]
    KeyTooLong { bytes: usize },
    #[error("{count} references to label names and values are no pairs")]
    OddReferences { count: usize },
    #[error("symbol {reference} of {symbols} does not exist")]
    NoSuchSymbol { reference: u64, symbols: usize },
    #[error("native histogram: {reason}")]
    Histogram { reason: &'static str },
    #[error("a native histogram has more than {BUCKETS_MAX} buckets")]
    TooManyBuckets,
    #[error("the line is {bytes} bytes long, at most {LINE_BYTES_MAX} are allowed")]
    LineTooLong { bytes: usize },
    #[error("missing metric name")]
    NoName,
    #[error("labels: {reason}")]
    Labels { reason: &'static str },
    #[error("missing value")]
    NoValue,
    #[error("invalid value '{}'", shown(.text))]
    Value { text: Vec<u8> },
    #[error("invalid timestamp '{}'", shown(.text))]
    Timestamp { text: Vec<u8> },
    #[error("unexpected '{}' after the sample", shown(.text))]
    Behind { text: Vec<u8> },
}

impl Refusal {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Malformed(_) | Self::Behind { .. } => Code::MalformedLine,
            Self::TimestampOutOfRange { .. } | Self::Timestamp { .. } => Code::InvalidTimestamp,
            Self::KeyTooLong { .. } | Self::LineTooLong { .. } => Code::InvalidText,
            Self::OddReferences { .. } | Self::NoSuchSymbol { .. } | Self::Labels { .. } => Code::InvalidLabels,
            Self::Histogram { .. } | Self::TooManyBuckets | Self::Value { .. } => Code::InvalidType,
            Self::NoName | Self::NoValue => Code::MissingField,
        }
    }
}

fn shown(text: &[u8]) -> String {
    let end = text.len().min(4 * SHOWN_CHARS_MAX);
    String::from_utf8_lossy(&text[..end]).chars().take(SHOWN_CHARS_MAX).collect()
}

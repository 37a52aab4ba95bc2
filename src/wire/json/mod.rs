//! The JSON grammar, in one pass over the bytes as they came: no tape, no copy, no rewriting of the input.
//!
//! A dialect drives the [`Scanner`] along the shape it expects and passes over the rest, so that a bad item can be
//! told from a bad document and every fault has the offset of the byte it was found at. Knows no dialect.

pub mod number;
pub mod scan;
pub mod skip;
pub mod text;
pub mod write;

use std::fmt;

pub use scan::Scanner;
pub use text::Text;

/// How deep arrays and objects may stand in each other.
pub const DEPTH_MAX: u32 = 64;

/// Why a document is not JSON, and at which byte that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{syntax} at byte {offset}")]
pub struct Fault {
    pub offset: usize,
    pub syntax: Syntax,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Syntax {
    #[error("the document ends too early")]
    Truncated,
    #[error("the document is larger than 4 GiB")]
    TooLarge,
    #[error("not UTF-8")]
    NotUtf8,
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("control character in a string")]
    ControlCharacter,
    #[error("invalid escape in a string")]
    InvalidEscape,
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

/// What sort of value a document holds at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind of the value that starts with `first`, if one can.
    pub fn of(first: u8) -> Option<Self> {
        match first {
            b'n' => Some(Self::Null),
            b't' | b'f' => Some(Self::Boolean),
            b'-' | b'0'..=b'9' => Some(Self::Number),
            b'"' => Some(Self::String),
            b'[' => Some(Self::Array),
            b'{' => Some(Self::Object),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

#[cfg(test)]
mod tests;

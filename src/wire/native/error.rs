//! Why a whole document is refused, as opposed to one item of it.

use crate::wire::json::{Fault, Kind, Syntax};

/// Nothing of the document may be used. `offset` is the byte where that showed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct DocumentError {
    pub offset: usize,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0}")]
    Syntax(Syntax),
    #[error("{what} must be {expected}, got {got}")]
    WrongType { what: &'static str, expected: &'static str, got: Kind },
    #[error("{field} appears twice")]
    Duplicate { field: &'static str },
    #[error("server_id must be a UUID, got {text}")]
    InvalidServerId { text: String },
    #[error("server_id or metrics is required")]
    Nothing,
}

impl From<Fault> for DocumentError {
    fn from(fault: Fault) -> Self {
        Self { offset: fault.offset, problem: Problem::Syntax(fault.syntax) }
    }
}

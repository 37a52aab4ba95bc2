//! What became of the lines of an import.

use crate::model::verdict::VERDICTS_LISTED_MAX;
use crate::model::{Code, Verdicts};

/// The refusal of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineVerdict {
    /// Counts from one.
    pub line: u64,
    pub code: Code,
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines up to here are decided: committed or refused.
    pub lines: u64,
    /// Samples committed.
    pub imported: u64,
    pub refused: u64,
    /// The first of the refused lines.
    pub listed: Vec<LineVerdict>,
}

impl Report {
    pub(super) fn refuse(&mut self, line: u64, code: Code, message: impl FnOnce() -> String) {
        self.refused += 1;
        if self.listed.len() < VERDICTS_LISTED_MAX {
            self.listed.push(LineVerdict { line, code, message: message() });
        }
    }

    /// Adds what became of the lines up to `of_chunk.lines`.
    pub(super) fn decide(&mut self, of_chunk: Self) {
        self.lines = of_chunk.lines;
        self.refused += of_chunk.refused;
        let room = VERDICTS_LISTED_MAX.saturating_sub(self.listed.len());
        self.listed.extend(of_chunk.listed.into_iter().take(room));
    }

    /// Adds the refusals of a chunk whose first line is `first_line`.
    pub(super) fn add(&mut self, verdicts: &Verdicts, first_line: u64) {
        self.refused += u64::from(verdicts.total());
        let mut listed: Vec<_> = verdicts.listed().iter().collect();
        listed.sort_by_key(|verdict| verdict.index);
        let room = VERDICTS_LISTED_MAX.saturating_sub(self.listed.len());
        self.listed.extend(listed.into_iter().take(room).map(|verdict| LineVerdict {
            line: first_line + u64::from(verdict.index),
            code: verdict.code,
            message: verdict.message.clone(),
        }));
        self.listed.sort_by_key(|verdict| verdict.line);
    }
}

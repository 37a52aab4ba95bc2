//! What a check found: how much it read, and every fault in a sentence.

use std::fmt;

/// Faults that are spelt out; all others are counted.
pub(super) const LISTED_MAX: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub journal_blocks: u64,
    pub parts: u64,
    pub rows: u64,
    /// Rows of minutes and hours.
    pub rollups: u64,
    pub samples: u64,
    /// Hours that were compared with the samples they stand for.
    pub hours: u64,
    /// Damaged rows that jobs have taken out of the way.
    pub set_aside: u64,
    pub faults: u64,
    pub listed: Vec<String>,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.faults == 0
    }

    pub(super) fn fault(&mut self, sentence: String) {
        self.faults += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(sentence);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { journal_blocks, parts, rows, rollups, samples, hours, set_aside, faults, .. } = self;
        writeln!(out, "journal blocks: {journal_blocks}, parts: {parts}, rows: {rows}, samples in rows: {samples}")?;
        writeln!(out, "rows of minutes and hours: {rollups}, hours compared with their samples: {hours}")?;
        writeln!(out, "damaged rows set aside: {set_aside}")?;
        for sentence in &self.listed {
            writeln!(out, "FAULT: {sentence}")?;
        }
        writeln!(out, "faults: {faults}")
    }
}

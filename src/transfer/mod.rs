//! Imports: lines of any number to committed samples, in bounded memory.
//!
//! ```text
//! pieces ─▶ chunks ─▶ decode ─▶ window ─▶ catalog ─▶ journal.commit
//!           (whole lines)                            one chunk commits while the next is read
//! ```
//!
//! Invariants:
//! - a line is refused by its number and costs no other;
//! - chunks are committed in the order of their lines, so of two lines with the same series and time the later one wins;
//! - what the report counts as imported is committed; nothing is counted that may not be;
//! - what is not asked for stays with the sender: no queue grows with the length of the import.
//!
//! Knows `wire`, `catalog`, `journal`, `admit` and `store`. Must not know where the pieces come from, nor HTTP.

mod chunks; // pieces to whole lines
mod hosts; // servers that are named by their host
mod import; // chunk after chunk to the journal
mod report; // what became of the lines

pub use import::{Import, ImportError, Options, Pieces, Stages};
pub use report::{LineVerdict, Report};

//! The tables that hold samples after the journal: `recent` and `samples` (packed samples), `rollup_1m` and `rollup_1h`
//! (packed buckets), and how far data have moved from one to the next.
//!
//! Data only ever move down: journal, recent, samples, `rollup_1m`, each time in one transaction. So who reads the
//! levels from the top down misses nothing, and of a sample met twice the upper one is the later one.

mod bit_varying; // strings of bits as PostgreSQL sends them
pub mod fold; // what a fold asks and changes
pub mod progress; // how far data have moved
pub mod rollups; // rows of buckets
pub mod standstill; // where everything is at one moment
pub mod samples; // rows of samples
pub mod recent; // parts on their way out
pub mod keyed; // rows by their keys
pub mod days; // a day of samples
pub mod expiry; // what nobody wants any more
pub mod windows; // rows of samples by hours
pub mod erasing; // rows that are to go

pub use progress::{FoldMarks, Progress};

//! What moves data on, and away: fold, seal, day, keep. Each is safe on any number of nodes, as often as one likes.
//!
//! ```text
//! fold   journal  ─▶ recent                     every half minute, or as soon as much waits
//! seal   recent   ─▶ samples                    when an hour is closed; late data with the next one
//! day    samples  ─▶ rollup_1h                  when a day is closed; late data when they are sealed
//! keep   samples  ─▶ rollup_1m ─▶ nothing       months ahead, retention behind
//! ```
//!
//! Invariants:
//! - data are moved in transactions of bounded size: a crash leaves each sample in one place, and the next run goes on
//!   where it was;
//! - who moves holds a lock of PostgreSQL for as long as the transaction, so a sample is never moved by two at once;
//! - a row that cannot be read is set aside, bytes and all, and never keeps its neighbours;
//! - a rollup depends on the samples alone, whatever the order they came and were moved in;
//! - ingest never waits for a job: a job's statement that would keep others waiting gives up and is tried again.
//!
//! Knows `codec`, `rollup` and `store`. Must not know who asks for a run, nor HTTP.

pub mod runner; // when jobs run, and what they say of it
mod worker; // long work beside the async workers
mod moving; // the transactions in which data move
pub mod damage; // rows that cannot be read
mod months; // tables by month, made before they are written to
pub mod fold; // journal to recent
pub mod merge; // samples and the rows of their hour
mod rollups; // rows of buckets, changed
pub mod seal; // hours that are closed
pub mod day; // days that are closed
pub mod retention; // how long what is kept
pub mod keep; // months ahead, retention behind
pub mod erase; // what someone wants gone
pub mod entries; // events and log lines, and their end
pub mod people; // sessions and codes that are over, and the audit's end
pub mod alerts; // alerts that are over, and their history's end

pub use runner::{Job, Runner};

use std::sync::Arc;

use crate::clock::Clock;
use crate::store::set_aside::ROWS_MAX;
use crate::store::{Database, StoreError};
use damage::Damage;

/// What every job works with.
#[derive(Clone, Debug)]
pub struct Context {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another node is at it; nothing is wrong.
    #[error("another node is doing it")]
    Elsewhere,
    /// To be set aside by whoever began the transaction, see [`damage`].
    #[error("a stored row is damaged: {0:?}")]
    Damaged(Box<Damage>),
    #[error("{ROWS_MAX} damaged rows were set aside already, and nobody has looked at them")]
    TooMuchDamage,
    /// A defect. Its transaction was rolled back.
    #[error("the job panicked")]
    Panicked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

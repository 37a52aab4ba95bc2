//! Alerting: rules judged as samples arrive, what follows from them, and who is told.
//!
//! ```text
//! committed flush ─▶ worker ─▶ judge (pure) ─▶ changes ─▶ one transaction: states, events, notices ─▶ outbox ─▶ people
//!                    ▲   ▲                                                       ▲
//!        stored samples  clock                      packs: whole reports, and what is looked at every half minute
//! ```
//!
//! Invariants:
//! - rules are judged by one node at a time: the one whose connection holds the lock. It writes what it found over that
//!   very connection, so a node that lost the lock cannot write;
//! - what a rule finds, and what people are to be told of it, is committed together, before anybody is told;
//! - a sample of a series that no rule watches costs one look-up;
//! - nothing waits for alerting: a flush that finds its queue full is dropped, and what is stored is read instead;
//! - a sample that is not later than the last one judged of its series changes nothing;
//! - absence is judged by when samples came, values by the times of the samples;
//! - what is silenced fires and resolves all the same, only nobody is told.
//!
//! Knows `store`, `matching` and `settings`. Must not know HTTP routes, `journal`, `live` or `query`; stored samples come
//! through a seam.

pub mod rule; // what is watched, and when it fires
pub mod definition; // rules as JSON, and what is wrong with them
pub mod judge; // rules over samples: what happens to each series
pub mod silence; // when nobody is told of what
pub mod channel; // how somebody is reached
pub mod notice; // what they are told
pub mod preview; // what a rule would have done
pub mod deliver; // the way to them
pub mod outbox; // what is still to be told
pub mod news; // what happened, as it happens
pub mod manage; // what people change
mod signals; // what parts of alerting tell each other
mod stats; // what it did so far
mod intake; // what was committed and has not been judged
mod words; // alerts in words
mod tell; // changes to what is written, and who is told
mod watched; // rules and silences as they are stored
mod wanted; // which series have to be read for that
mod catch_up; // what was stored while nobody judged
mod leader; // what the one node that judges does
mod worker; // one node at a time

use std::sync::Arc;

pub use catch_up::{Past, PastError, PastFuture, PastRange, Reached};
use deliver::Deliverer;
pub use intake::Intake;
pub use signals::Signals;
pub use stats::Stats;
pub use worker::Worker;

/// What others hold of alerting.
#[derive(Clone, Debug)]
pub struct Alerts {
    pub signals: Arc<Signals>,
    /// What hears of commits, and of servers that changed hands or labels.
    pub intake: Arc<Intake>,
    pub stats: Arc<Stats>,
    /// The way to people.
    pub deliverer: Arc<Deliverer>,
    /// Whether rules may be judged by this process.
    pub judges_here: bool,
}

impl Alerts {
    /// Does nothing by itself.
    pub fn new(deliverer: Arc<Deliverer>) -> Self {
        let stats = Arc::<Stats>::default();
        let intake = Arc::new(Intake::new(Arc::clone(&stats)));
        Self { signals: Arc::default(), intake, stats, deliverer, judges_here: true }
    }
}

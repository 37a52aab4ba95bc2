//! What was refused, kept for those who look for the reason: bounded in memory until it is written down, bounded in
//! PostgreSQL by rows and age.
//!
//! ```text
//! a request's refusals ─▶ waiting (bounded, the oldest go and are counted) ─▶ PostgreSQL, every few seconds
//! ```
//!
//! Invariants:
//! - what is accepted costs nothing here, and no answer waits for PostgreSQL on account of what was refused;
//! - neither headers nor the address of a request are kept, and of texts what looks like a secret is taken out;
//! - whoever is told of a reject reaches the server that its sender speaks for, or all that the sender might have meant.
//!
//! Knows `auth`, `store` and `telemetry`. Must not know dialects, HTTP, nor who asks.

mod waiting; // not written down yet

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use crate::auth::{Principal, Who};
use crate::model::reject::{Reject, Sender};
use crate::model::{Micros, Verdict, Whose};
use crate::store::{Database, StoreError, rejects};
use crate::telemetry::scrub;
use waiting::Waiting;

/// Refusals of one request that are kept; the others are counted with all.
pub const KEPT_OF_REQUEST_MAX: usize = 16;
/// How much of an item is kept.
pub const RAW_BYTES_MAX: usize = 1024;
/// How far into a body its refused items are looked for; those beyond are kept without their bytes.
pub const SCANNED_BYTES_MAX: usize = 1 << 20;
/// Rejects in one transaction.
const BATCH_MAX: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Rejects {
    waiting: Waiting,
}

/// Where something was refused.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    pub at: Micros,
    pub sender: Arc<Sender>,
    pub dialect: &'static str,
    pub body: &'a [u8],
    /// The position of the first item of `body`, where it is a part of something longer.
    pub first_item: u64,
}

impl Rejects {
    /// Keeps the first of some refusals. `spans` are those of the items of the body, in order; it is asked for as many as
    /// are needed.
    pub fn keep(&self, occasion: &Occasion<'_>, refused: &[Verdict], spans: impl Iterator<Item = Range<usize>>) {
        if !refused.is_empty() {
            self.keep_some(occasion, refused, spans);
        }
    }

    #[cold]
    fn keep_some(&self, occasion: &Occasion<'_>, refused: &[Verdict], spans: impl Iterator<Item = Range<usize>>) {
        let mut kept: Vec<&Verdict> = refused.iter().take(KEPT_OF_REQUEST_MAX).collect();
        kept.sort_by_key(|verdict| verdict.index);
        let mut spans = (0_u32..).zip(spans).take_while(|(_, span)| span.start < SCANNED_BYTES_MAX).peekable();
        for verdict in kept {
            while spans.peek().is_some_and(|(item, _)| *item < verdict.index) {
                spans.next();
            }
            let span = spans.peek().filter(|(item, _)| *item == verdict.index).map(|(_, span)| span.clone());
            let raw = span.and_then(|span| occasion.body.get(span)).unwrap_or_default();
            let item = Some(occasion.first_item + u64::from(verdict.index));
            self.waiting.add(occasion.reject(item, (verdict.code.as_str(), &verdict.message), raw));
        }
    }

    /// Keeps that a body was refused as a whole.
    pub fn keep_whole(&self, occasion: &Occasion<'_>, code: &'static str, message: &str) {
        self.waiting.add(occasion.reject(None, (code, message), occasion.body));
    }

    /// Writes down what waits.
    ///
    /// # Errors
    /// When PostgreSQL is not available; what was not written down waits on, as far as there is room.
    pub async fn write_down(&self, database: &Database) -> Result<(), StoreError> {
        loop {
            let batch = self.waiting.take(BATCH_MAX);
            if batch.is_empty() {
                return Ok(());
            }
            let written = match database.client().await {
                Ok(mut client) => rejects::append(&mut client, &batch).await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                self.waiting.put_back(batch);
                return Err(error);
            }
        }
    }

    /// How many were given up because too many waited.
    pub fn dropped(&self) -> u64 {
        self.waiting.dropped()
    }
}

impl Occasion<'_> {
    fn reject(&self, item: Option<u64>, (code, message): (&'static str, &str), raw: &[u8]) -> Reject {
        Reject {
            at: self.at,
            sender: Arc::clone(&self.sender),
            dialect: self.dialect,
            item,
            code,
            message: scrub::scrub(message),
            raw: shown(raw),
            raw_bytes: raw.len() as u64,
        }
    }
}

/// The beginning of an item. A text is cut between two characters and loses what looks like a secret; looked at before it
/// is cut, so that half a secret is none either.
fn shown(raw: &[u8]) -> Vec<u8> {
    let looked_at = &raw[..raw.len().min(2 * RAW_BYTES_MAX)];
    match std::str::from_utf8(looked_at) {
        Ok(text) => cut(&scrub::scrub(text)),
        // A character may have been cut in two.
        Err(error) if error.error_len().is_none() => {
            cut(&scrub::scrub(&String::from_utf8_lossy(&looked_at[..error.valid_up_to()])))
        }
        Err(_) => looked_at[..looked_at.len().min(RAW_BYTES_MAX)].to_vec(),
    }
}

fn cut(text: &str) -> Vec<u8> {
    text.as_bytes()[..text.floor_char_boundary(RAW_BYTES_MAX)].to_vec()
}

/// A sender of a request.
pub fn sender(principal: &Principal, address: IpAddr) -> Sender {
    let server = match principal.who {
        Who::Agent { server, .. } => Some(server),
        _ => None,
    };
    Sender {
        name: principal.label(),
        address: Some(address),
        person: principal.person(),
        server,
        is_of_fleet: server.is_none() && matches!(principal.reach.whose, Whose::Some { fleet: true, owner: None }),
    }
}

/// Whoever reaches a socket that asks nobody who they are: they speak for the fleet.
pub fn line_sender(address: Option<IpAddr>) -> Sender {
    Sender { name: "anyone".to_owned(), address, is_of_fleet: true, ..Sender::default() }
}

#[cfg(test)]
mod tests;

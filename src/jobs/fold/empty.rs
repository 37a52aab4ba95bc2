//! The ring: parts of the journal whose flushes were all folded are emptied whole, and marks of writers that are gone
//! are forgotten.
//!
//! A mark is what tells a copy from a new flush: a writer that lost the answer to its commit sends the same flush again,
//! and when the ring was emptied meanwhile no key refuses it. So a mark must stay while its writer may still send
//! something at or before it. That is once at most, and soon: a writer tries its flush again every second. A mark goes
//! when its writer has no rows in the journal and it has not moved for [`MARK_KEPT`], or [`MARKS_MAX`] others have
//! moved since. A writer that comes back after that goes on with the next number, which is unfolded with or without a
//! mark.

use std::time::Duration;

use super::super::{Context, JobError};
use crate::model::Micros;
use crate::store::journal::{SLOTS, slot};
use crate::store::levels::fold;
use crate::store::locks::{self, Moving};
use crate::store::nodes::WRITERS_MAX;
use crate::store::transactions;

/// How long a flush stays in the journal at least after its fold, for the other nodes to read it from there. Its own
/// time is by another clock than ours, which may be ahead or have been set back.
const FLUSH_KEPT: Duration = Duration::from_secs(15);
const MARK_KEPT: Duration = Duration::from_secs(24 * 3600);
const MARKS_MAX: usize = WRITERS_MAX;

/// Empties what can be emptied without keeping anybody waiting. What cannot is left for the next time.
pub(super) async fn run(context: &Context) -> Result<(), JobError> {
    let now = context.clock.now();
    let mut client = context.database.client().await?;
    for candidate in (0..SLOTS as i16).filter(|candidate| *candidate != slot(now)) {
        // Another node is at it, and will do this too.
        let Some(transaction) = locks::begin(&mut client, Moving::Journal, || false).await? else { return Ok(()) };
        let is_emptied = fold::empty_slot(&transaction, candidate, before(now, FLUSH_KEPT)).await?;
        transactions::commit(transaction).await?;
        if is_emptied {
            tracing::debug!(slot = candidate, "part of the journal emptied");
        }
    }
    if let Some(transaction) = locks::begin(&mut client, Moving::Journal, || false).await? {
        fold::forget_marks(&transaction, before(now, MARK_KEPT), MARKS_MAX).await?;
        transactions::commit(transaction).await?;
    }
    Ok(())
}

fn before(now: Micros, span: Duration) -> Micros {
    Micros(now.0.saturating_sub(span.as_micros() as i64))
}

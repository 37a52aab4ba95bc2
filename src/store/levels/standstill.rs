//! Where everything is at one moment: what was folded, and what is in the journal only.

use deadpool_postgres::Client;
use tokio_postgres::IsolationLevel;

use super::progress::{self, FoldMarks, Progress};
use crate::model::Origin;
use crate::store::journal::{self, Mark};
use crate::store::{StoreError, nodes};

/// One moment, seen as a whole.
#[derive(Clone, Debug)]
pub struct Standstill {
    pub folded: FoldMarks,
    pub progress: Progress,
    /// The newest sequence of each writer that is in the journal.
    pub writers: Vec<(Origin, u64)>,
    /// For each writer that was asked for and not folded as far: what was not.
    pub unfolded: Vec<Mark>,
    /// How many flushes that is.
    pub unfolded_flushes: u64,
}

/// Looks at all at once, in one short transaction. `up_to` says how far each writer is of interest.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn look(client: &mut Client, up_to: &[(Origin, u64)]) -> Result<Standstill, StoreError> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = transaction.start().await?;
    transaction.batch_execute(include_str!("../../../sql/queries/hold_still.sql")).await?;
    let folded = progress::fold_marks(&transaction).await?;
    let progress = progress::read(&transaction).await?;
    let writers = nodes::news(&transaction).await?.writers;
    let folded_of = |origin| folded.get(&origin).copied().unwrap_or(0);
    let unfolded: Vec<Mark> = up_to
        .iter()
        .map(|(origin, high)| Mark { origin: *origin, low: folded_of(*origin), high: *high })
        .filter(|mark| mark.low < mark.high)
        .collect();
    let unfolded_flushes = journal::flush_count(&transaction, &unfolded).await?;
    transaction.commit().await?;
    Ok(Standstill { folded, progress, writers, unfolded, unfolded_flushes })
}

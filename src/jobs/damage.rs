//! Rows that cannot be read: taken out of the way, so that their neighbours move on.
//!
//! Whoever meets one gives up its transaction with [`JobError::Damaged`]; the row is moved to a table of its own in
//! another transaction, bytes and all, and the work is done again without it. So nothing is half done, and what was
//! found does not depend on who found it.

use std::fmt;
use std::time::Duration;

use super::{Context, JobError, moving};
use crate::codec::block::BlockError;
use crate::codec::samples_row::RowError;
use crate::model::Resolution;
use crate::store::levels::fold::BlockHead;
use crate::store::levels::rollups::StoredRollup;
use crate::store::levels::samples::StoredSamples;
use crate::store::locks::{self, Moving};
use crate::store::set_aside::{self, DamagedRow, ROWS_MAX};
use crate::store::{Client, transactions};

/// A row, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub row: DamagedRow,
    pub reason: String,
}

impl Damage {
    fn found(row: DamagedRow, reason: &impl fmt::Display) -> JobError {
        JobError::Damaged(Box::new(Self { row, reason: reason.to_string() }))
    }
}

pub(super) fn of_block(head: &BlockHead) -> impl FnOnce(BlockError) -> JobError {
    |error| Damage::found(DamagedRow::Block(*head), &error)
}

pub(super) fn of_part(slot: i16, fold: u64, stored: &StoredSamples) -> impl FnOnce(RowError) -> JobError {
    let (series, start) = (stored.series, stored.row.start);
    move |error| Damage::found(DamagedRow::Part { slot, fold, series, start }, &error)
}

pub(super) fn of_samples(stored: &StoredSamples) -> impl FnOnce(RowError) -> JobError {
    let (series, start) = (stored.series, stored.row.start);
    move |error| Damage::found(DamagedRow::Samples { series, start }, &error)
}

pub(super) fn of_rollup(stored: &StoredRollup, resolution: Resolution) -> impl FnOnce(RowError) -> JobError {
    let (series, start) = (stored.series, stored.row.start);
    move |error| Damage::found(DamagedRow::Rollup { resolution, series, start }, &error)
}

/// Who sets rows aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder<'a> {
    pub(super) context: &'a Context,
    /// What it is doing, in a word.
    pub(super) name: &'a str,
    pub(super) turn_wait: Duration,
}

impl Finder<'_> {
    /// What was done, or that it is to be done again, as a row that was in its way is not there any more.
    ///
    /// # Errors
    /// Those of `outcome` that are no damage; [`JobError::TooMuchDamage`]; and when the row cannot be moved.
    pub(super) async fn settle<T>(
        self,
        client: &mut Client,
        outcome: Result<T, JobError>,
    ) -> Result<Option<T>, JobError> {
        match outcome {
            Ok(done) => Ok(Some(done)),
            Err(JobError::Damaged(damage)) => self.set_aside(client, *damage).await.map(|()| None),
            Err(error) => Err(error),
        }
    }

    async fn set_aside(self, client: &mut Client, damage: Damage) -> Result<(), JobError> {
        let Self { context, name, turn_wait } = self;
        let transaction = match damage.row {
            DamagedRow::Block(_) => {
                locks::begin(client, Moving::Journal, || false).await?.ok_or(JobError::Elsewhere)?
            }
            _ => moving::begin(client, turn_wait).await?,
        };
        if set_aside::count(&transaction).await? >= ROWS_MAX {
            return Err(JobError::TooMuchDamage);
        }
        let Damage { row, reason } = &damage;
        if !set_aside::take(&transaction, row, reason, (name, context.clock.now())).await? {
            // It was read a moment ago. Whatever it is now, it is not what this one can help with.
            return Err(JobError::Damaged(Box::new(damage)));
        }
        transactions::commit(transaction).await?;
        tracing::error!(job = name, ?row, reason, "a damaged row was set aside");
        Ok(())
    }
}

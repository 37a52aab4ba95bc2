//! Journal to recent: takes the flushes that were not folded, in the order of their times, and writes them as parts.
//!
//! ```text
//! heads past the marks ─▶ choose flushes ─▶ passes by series: read, gather, sort, pack ─▶ recent ─▶ marks
//! └───────────────────────────────────── one transaction, one number ──────────────────────────────────┘
//! ```
//!
//! Invariants:
//! - a sample is in a part if and only if its flush is at or before the mark of its writer: all passes and the marks are
//!   one transaction;
//! - of each writer a fold takes a prefix, and of all writers those committed first, so no later fold holds what was
//!   written before something that this one holds, as far as it could be seen;
//! - a block that cannot be read is set aside, and the fold begins again without it;
//! - memory is bounded by a pass and a portion of blocks, however much waits;
//! - a part of the journal is emptied only when all in it was folded and readers on other nodes had their time.

mod bounds; // where passes end
mod choose; // which flushes
mod empty; // the ring, and marks nobody needs
mod gather; // the samples of one pass
mod trigger; // when much waits

pub use trigger::Trigger;

use std::time::Duration;

use super::damage::{self, Finder};
use super::worker::off_worker;
use super::{Context, JobError};
use crate::codec::block;
use crate::model::{Batch, Micros};
use crate::store::levels::fold::{self, BlockHead};
use crate::store::levels::{recent, samples};
use crate::store::locks::{self, Moving};
use crate::store::{Client, Transaction, transactions};
use choose::{Chosen, choose};
use gather::{FIRST, Gathered, Rows, after, last_of};

/// Blocks looked at before it is known whether more are needed.
const FIRST_LOOK_BLOCKS: usize = 4_096;
/// Blocks and samples read at once.
const PORTION_BLOCKS: usize = 64;
const PORTION_SAMPLES: u64 = 200_000;
/// Rows and samples written at once.
const COPY_ROWS: usize = 4_096;
const COPY_SAMPLES: usize = 131_072;

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Blocks of one fold, some 40 bytes of memory each.
    pub blocks_max: usize,
    /// Samples of one fold. Too high: transactions get long. Too low: parts hold few samples each.
    pub samples_max: u64,
    /// Samples in memory at one time, 20 bytes each, and as many again while they are put in order.
    pub pass_samples_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { blocks_max: 65_536, samples_max: 8_000_000, pass_samples_max: 1 << 20 }
    }
}

/// Folds until nothing waits, then empties what can be emptied. Answers how many rows it wrote. There is nothing to
/// force: it always takes everything that is committed.
///
/// # Errors
/// See [`JobError`]. What was folded before the error stays so.
pub async fn run(context: &Context, _force: bool) -> Result<u64, JobError> {
    run_within(context, Limits::default()).await
}

/// [`run`] with other limits.
///
/// # Errors
/// As [`run`].
pub async fn run_within(context: &Context, limits: Limits) -> Result<u64, JobError> {
    let finder = Finder { context, name: "fold", turn_wait: Duration::ZERO };
    let mut rows = 0;
    loop {
        let mut client = context.database.client().await?;
        let folded = fold_some(&mut client, context.clock.now(), limits).await;
        match finder.settle(&mut client, folded).await? {
            Some((written, false)) => {
                rows += written;
                break;
            }
            Some((written, true)) => rows += written,
            // Again, without a block that was damaged.
            None => {}
        }
    }
    empty::run(context).await?;
    Ok(rows)
}

/// One fold. Answers how many rows it wrote, and whether flushes are left.
async fn fold_some(client: &mut Client, now: Micros, limits: Limits) -> Result<(u64, bool), JobError> {
    // Who has the lock is doing this very work: nobody waits for it.
    let transaction = locks::begin(client, Moving::Journal, || false).await?.ok_or(JobError::Elsewhere)?;
    let chosen = choose_some(&transaction, limits).await?;
    if chosen.blocks.is_empty() {
        // Dropped, it would keep the lock until its end has reached PostgreSQL, and nothing would be emptied.
        transactions::commit(transaction).await?;
        return Ok((0, false));
    }
    let number = fold::begin(&transaction, now).await?;
    let pass = Pass { transaction: &transaction, chosen: &chosen, slot: recent::slot(now), number };
    let rows = pass.all(limits.pass_samples_max).await?;
    fold::slots_folded(&transaction, &chosen.slots(), now).await?;
    fold::move_marks(&transaction, &chosen.marks, now).await?;
    transactions::commit(transaction).await?;
    tracing::debug!(fold = number, blocks = chosen.blocks.len(), rows, "folded");
    Ok((rows, chosen.is_more))
}

/// Looks at few blocks first, which are enough when they are full, and at many only when they hold little.
async fn choose_some(transaction: &Transaction<'_>, limits: Limits) -> Result<Chosen, JobError> {
    let mut blocks_max = limits.blocks_max.min(FIRST_LOOK_BLOCKS);
    loop {
        let heads = fold::unfolded(transaction, blocks_max).await?;
        let is_all = heads.len() < blocks_max;
        let samples: u64 = heads.iter().map(|head| u64::from(head.samples)).sum();
        if is_all || samples >= limits.samples_max || blocks_max == limits.blocks_max {
            return Ok(choose(heads, is_all, limits.samples_max));
        }
        blocks_max = limits.blocks_max;
    }
}

/// What the passes of one fold share.
struct Pass<'a> {
    transaction: &'a Transaction<'a>,
    chosen: &'a Chosen,
    slot: i16,
    number: u64,
}

impl Pass<'_> {
    /// Every pass, one after the other. Answers how many rows were written.
    async fn all(&self, samples_max: usize) -> Result<u64, JobError> {
        let mut rows = 0;
        let mut from = Some(FIRST);
        // Somewhat less than fits, as bounds are estimates and a pass that cuts itself was read for nothing in part.
        for bound in bounds::bounds(&self.chosen.blocks, samples_max - samples_max / 4) {
            while let Some(place) = from.filter(|place| place.0 <= bound) {
                let gathered = self.gather(Gathered::new(place, last_of(bound), samples_max)).await?;
                from = after(gathered.to());
                rows += self.write(off_worker(|| gathered.into_rows())).await?;
            }
        }
        Ok(rows)
    }

    async fn gather(&self, mut gathered: Gathered) -> Result<Gathered, JobError> {
        let mut rest = self.chosen.blocks.as_slice();
        loop {
            let (portion, left) = next_portion(rest, &gathered);
            if portion.is_empty() {
                return Ok(gathered);
            }
            rest = left;
            let blocks = fold::blocks(self.transaction, &portion).await?;
            off_worker(|| {
                let mut batch = Batch::default();
                blocks.iter().zip(&portion).try_for_each(|(bytes, head)| {
                    batch.clear();
                    block::decode(bytes, &mut batch).map_err(damage::of_block(head))?;
                    gathered.add(&batch);
                    Ok::<(), JobError>(())
                })
            })?;
        }
    }

    async fn write(&self, mut gathered: Rows) -> Result<u64, JobError> {
        let mut written = 0;
        loop {
            let rows = off_worker(|| gathered.next(COPY_ROWS, COPY_SAMPLES));
            if rows.is_empty() {
                return Ok(written);
            }
            samples::append_recent(self.transaction, self.slot, self.number, &rows).await?;
            written += rows.len() as u64;
        }
    }
}

/// The next blocks that may hold what is wanted, and the blocks after them.
fn next_portion<'a>(blocks: &'a [BlockHead], gathered: &Gathered) -> (Vec<BlockHead>, &'a [BlockHead]) {
    let (mut portion, mut samples) = (Vec::with_capacity(PORTION_BLOCKS), 0);
    for (index, head) in blocks.iter().enumerate() {
        if portion.len() == PORTION_BLOCKS || samples >= PORTION_SAMPLES {
            return (portion, &blocks[index..]);
        }
        if gathered.wants(head.series_min, head.series_max) {
            samples += u64::from(head.samples);
            portion.push(*head);
        }
    }
    (portion, &[])
}

//! What is in the journal only: the first level a page reads.
//!
//! Few series: the index tells which unfolded blocks may hold them, and only theirs are decoded. Many series:
//! blocks come ordered by their latest (or earliest) sample, and once the page is full and the next block cannot hold a
//! better row, it is done. So a page costs the blocks that overlap it, at most what has not been folded.

use std::pin::pin;

use futures_util::StreamExt;

use super::best::{Best, Version};
use super::page::Waiting;
use super::selection::{Selection, Standing};
use super::{Engine, QueryError};
use crate::codec::block;
use crate::model::{Batch, Micros, SeriesId};
use crate::store::Client;
use crate::store::journal::{self, BlockOrder, BlockQuery, StoredBlock};

/// Blocks read at once: the first few are often enough, and many more are never held together.
const BLOCKS_FIRST: u32 = 4;
const BLOCKS_MAX: u32 = 32;
/// Samples of the journal held at once, some 250 MB: more than there are while somebody folds.
const COLLECTED_MAX: usize = 4_000_000;

pub(super) async fn read(
    engine: &Engine,
    selection: &mut Selection,
    best: &mut Best,
    waiting: Waiting<'_>,
) -> Result<(), QueryError> {
    if selection.is_wide() {
        read_by_time(engine, selection, best, waiting).await
    } else {
        read_of_series(engine, selection, best, waiting).await
    }
}

async fn read_of_series(
    engine: &Engine,
    selection: &Selection,
    best: &mut Best,
    waiting: Waiting<'_>,
) -> Result<(), QueryError> {
    let client = engine.database.client().await?;
    let blocks = journal::unfolded_of_series(&client, selection.range(), best.range()).await?;
    let mut blocks = pin!(blocks);
    let mut samples = Batch::default();
    let mut is_wanted = true;
    while let Some(stored) = blocks.next().await {
        let stored = stored?;
        // To the end all the same: a connection goes back to the pool with nothing running on it.
        is_wanted = is_wanted && waiting();
        if is_wanted {
            clear(&mut samples);
            block::decode_some(&stored.block, |id| selection.get(id).is_some(), &mut samples)?;
            offer(&stored, &samples, |_| true, best);
            tokio::task::consume_budget().await;
        }
    }
    if is_wanted { Ok(()) } else { Err(QueryError::Abandoned) }
}

async fn read_by_time(
    engine: &Engine,
    selection: &mut Selection,
    best: &mut Best,
    waiting: Waiting<'_>,
) -> Result<(), QueryError> {
    let (series_min, series_max) = selection.range();
    let order = best.order();
    let (mut after, mut wanted) = (None, BLOCKS_FIRST);
    let mut samples = Batch::default();
    let slots = journal::unfolded_slots(&engine.database.client().await?).await?;
    loop {
        if !waiting() {
            return Err(QueryError::Abandoned);
        }
        best.settle_when_full();
        let ((time_min, time_max), edge) = (best.range(), best.edge());
        let marks = Vec::new();
        let query = BlockQuery { order, time_min, time_max, series_min, series_max, marks, unmarked: true, edge };
        let client = engine.database.client().await?;
        let blocks = journal::read_unfolded(&client, &query, &slots, after, wanted).await?;
        // Decoding takes the processor, not PostgreSQL: someone else may have the connection meanwhile.
        drop(client);
        for stored in &blocks {
            best.settle_when_full();
            if is_behind(stored, best) {
                return Ok(());
            }
            clear(&mut samples);
            block::decode(&stored.block, &mut samples)?;
            let mut unmet: Vec<SeriesId> = samples.series.clone();
            unmet.dedup();
            unmet.retain(|id| selection.standing(engine, *id) == Standing::Unmet);
            if !unmet.is_empty() {
                selection.meet(engine, &unmet).await?;
            }
            offer(stored, &samples, |id| selection.get(id).is_some(), best);
            tokio::task::consume_budget().await;
        }
        match blocks.last() {
            Some(last) if blocks.len() == wanted as usize => after = Some(last.position(order)),
            _ => return Ok(()),
        }
        wanted = (wanted * 2).min(BLOCKS_MAX);
    }
}

/// Whether neither this block nor any block after it can change the page.
fn is_behind(stored: &StoredBlock, best: &Best) -> bool {
    let (from, to) = best.range();
    match best.order() {
        BlockOrder::Newest => stored.time_max < from,
        BlockOrder::Oldest => stored.time_min > to,
    }
}

fn offer(stored: &StoredBlock, samples: &Batch, is_selected: impl Fn(SeriesId) -> bool, best: &mut Best) {
    let version = version(stored);
    let mut start = 0;
    for of_one_series in samples.series.chunk_by(|left, right| left == right) {
        let end = start + of_one_series.len();
        if is_selected(of_one_series[0]) {
            best.offer(version, of_one_series[0], &samples.times[start..end], &samples.values[start..end]);
        }
        start = end;
    }
}

fn version(stored: &StoredBlock) -> Version {
    let StoredBlock { committed_at, origin, sequence, part, .. } = *stored;
    Version::Journal { committed_at, origin, sequence, part }
}

fn clear(samples: &mut Batch) {
    samples.series.clear();
    samples.times.clear();
    samples.values.clear();
}

/// A sample, and where it was met.
pub(super) type Met = (SeriesId, Micros, Version, f64);

/// The samples of `series`, sorted, in `[from, to]`, in no order.
///
/// # Errors
/// When there are more than [`COLLECTED_MAX`], beside all else: then less is to be asked for at once.
pub(super) async fn samples_of(
    client: &Client,
    series: &[SeriesId],
    range: (Micros, Micros),
    waiting: Waiting<'_>,
) -> Result<Vec<Met>, QueryError> {
    let (mut found, mut is_too_many) = (Vec::new(), false);
    let mut take = |met: Met| {
        is_too_many |= found.len() == COLLECTED_MAX;
        if !is_too_many {
            found.push(met);
        }
    };
    visit(client, series, range, waiting, &mut take).await?;
    if is_too_many { Err(QueryError::TooManySamples { samples_max: COLLECTED_MAX }) } else { Ok(found) }
}

/// Has `take` look at each of them, keeping none.
pub(super) async fn visit(
    client: &Client,
    series: &[SeriesId],
    (from, to): (Micros, Micros),
    waiting: Waiting<'_>,
    take: &mut (dyn FnMut(Met) + Send),
) -> Result<(), QueryError> {
    let (Some(&series_min), Some(&series_max)) = (series.first(), series.last()) else { return Ok(()) };
    let blocks = journal::unfolded_of_series(client, (series_min, series_max), (from, to)).await?;
    let mut blocks = pin!(blocks);
    let (mut samples, mut is_wanted) = (Batch::default(), true);
    while let Some(stored) = blocks.next().await {
        let stored = stored?;
        // To the end all the same: a connection goes back to the pool with nothing running on it.
        is_wanted = is_wanted && waiting();
        if is_wanted {
            clear(&mut samples);
            block::decode_some(&stored.block, |id| series.binary_search(&id).is_ok(), &mut samples)?;
            let version = version(&stored);
            for (place, id) in samples.series.iter().enumerate() {
                let time = samples.times[place];
                if time >= from && time <= to {
                    take((*id, time, version, samples.values[place]));
                }
            }
            tokio::task::consume_budget().await;
        }
    }
    if is_wanted { Ok(()) } else { Err(QueryError::Abandoned) }
}

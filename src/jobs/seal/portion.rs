//! Some hours of series, put together with what is stored of them.

use std::collections::BTreeMap;

use super::RawFrom;
use super::late::Corrections;
use crate::jobs::merge::{self, Head, Samples};
use crate::jobs::worker::off_worker;
use crate::jobs::{JobError, damage};
use crate::model::Micros;
use crate::rollup;
use crate::store::Transaction;
use crate::store::levels::keyed::{self, Key};
use crate::store::levels::samples::{self, StoredSamples, WINDOW_MICROS};

/// One hour of a series.
struct Hour<'a> {
    key: Key,
    new: &'a Samples,
    /// The rows that are stored of it.
    heads: Vec<Head>,
}

/// Writes the samples of some hours, and corrects the rollups of those whose day is before `days_to`. Answers the number
/// of rows written.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub(super) async fn put_together(
    transaction: &Transaction<'_>,
    windows: &mut [(Key, Samples)],
    days_to: Micros,
    raw_from: &RawFrom<'_>,
) -> Result<u64, JobError> {
    off_worker(|| windows.iter_mut().for_each(|(_, new)| new.put_in_order()));
    let keys: Vec<Key> = windows.iter().map(|(key, _)| *key).collect();
    let mut heads = heads(transaction, &keys).await?;
    let mut corrections = Corrections::read(transaction, &keys, days_to).await?;
    let hours = windows.iter().map(|(key, new)| Hour { key: *key, new, heads: heads.remove(key).unwrap_or_default() });
    let is_gone = |hour: &Hour<'_>| hour.heads.is_empty() && corrections.is_gone(hour.key, raw_from(hour.key.0));
    let (gone, kept): (Vec<Hour<'_>>, Vec<Hour<'_>>) = hours.partition(is_gone);
    for hour in &gone {
        corrections.add(hour.key, hour.new);
    }
    let rows = write(transaction, &kept, &mut corrections).await?;
    Ok(rows + corrections.write(transaction).await?)
}

async fn write(
    transaction: &Transaction<'_>,
    hours: &[Hour<'_>],
    corrections: &mut Corrections,
) -> Result<u64, JobError> {
    let needed = |hour: &Hour<'_>| -> Vec<Key> {
        let places = match corrections.is_late(hour.key.1) {
            true => (0..hour.heads.len()).collect(),
            false => merge::touched(&hour.heads, &hour.new.times),
        };
        places.into_iter().map(|place| (hour.key.0, hour.heads[place].start)).collect()
    };
    let needed: Vec<Key> = hours.iter().flat_map(needed).collect();
    let read = keyed::read_samples(transaction, &needed).await?;
    let mut read: BTreeMap<Key, StoredSamples> =
        read.into_iter().map(|stored| ((stored.series, stored.row.start), stored)).collect();
    let (replaced, rows) = off_worker(|| merge_each(hours, &mut read, corrections))?;
    keyed::delete_samples(transaction, &replaced).await?;
    if !rows.is_empty() {
        samples::append(transaction, &rows).await?;
    }
    Ok(rows.len() as u64)
}

/// The rows that must go and those that come, and the hours of those that are late.
fn merge_each(
    hours: &[Hour<'_>],
    read: &mut BTreeMap<Key, StoredSamples>,
    corrections: &mut Corrections,
) -> Result<(Vec<Key>, Vec<StoredSamples>), JobError> {
    let (mut replaced, mut rows) = (Vec::new(), Vec::new());
    for hour in hours {
        let stored = hour.take(read)?;
        if corrections.is_late(hour.key.1) {
            corrections.count_anew(hour.key, &hour.all(&stored));
        }
        let merged = merge::merge(&hour.heads, &stored, hour.new);
        replaced.extend(merged.replaced.into_iter().map(|start| (hour.key.0, start)));
        rows.extend(merged.rows.into_iter().map(|row| StoredSamples { series: hour.key.0, row }));
    }
    Ok((replaced, rows))
}

impl Hour<'_> {
    /// Takes the rows of this hour that were read, by their place among all rows of the hour.
    fn take(&self, read: &mut BTreeMap<Key, StoredSamples>) -> Result<BTreeMap<usize, Samples>, JobError> {
        let mut taken = BTreeMap::new();
        for (place, head) in self.heads.iter().enumerate() {
            if let Some(stored) = read.remove(&(self.key.0, head.start)) {
                let mut samples = Samples::default();
                samples.add(&stored.row).map_err(damage::of_samples(&stored))?;
                taken.insert(place, samples);
            }
        }
        Ok(taken)
    }

    /// Every sample of the hour, when all its rows were read.
    fn all(&self, stored: &BTreeMap<usize, Samples>) -> Samples {
        let mut all = Samples::default();
        for samples in stored.values().chain([self.new]) {
            all.times.extend_from_slice(&samples.times);
            all.values.extend_from_slice(&samples.values);
        }
        all.put_in_order();
        all
    }
}

/// The rows that are stored of each hour, in order of time.
async fn heads(transaction: &Transaction<'_>, windows: &[Key]) -> Result<BTreeMap<Key, Vec<Head>>, JobError> {
    let mut heads: BTreeMap<Key, Vec<Head>> = BTreeMap::new();
    for stored in keyed::heads(transaction, windows).await? {
        let head = Head { start: stored.start, count: usize::try_from(stored.count).unwrap_or_default() };
        heads.entry((stored.series, rollup::start(stored.start, WINDOW_MICROS))).or_default().push(head);
    }
    Ok(heads)
}

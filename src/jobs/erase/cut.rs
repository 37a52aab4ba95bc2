//! The ends of a stretch: rows of the hours and days that are only partly in it are taken out, cut and put back.

use std::collections::{BTreeMap, HashMap};

use super::{Erased, Span};
use crate::codec::rollup_row;
use crate::codec::samples_row::{self, ROW_SAMPLES_MAX, RowError};
use crate::jobs::{JobError, damage};
use crate::model::{Bucket, Micros, Resolution, SeriesId};
use crate::rollup;
use crate::store::Transaction;
use crate::store::levels::erasing::{Stretch, take_recent, take_rollups, take_samples};
use crate::store::levels::rollups::{self, StoredRollup};
use crate::store::levels::samples::{self, StoredSamples};

/// What is left of the samples of a series and hour that had some in `samples`.
type Left = HashMap<(SeriesId, Micros), (Vec<Micros>, Vec<f64>)>;

pub(super) async fn ends(transaction: &Transaction<'_>, series: &[SeriesId], span: Span) -> Result<Erased, JobError> {
    let (mut erased, mut left) = (Erased::default(), Left::new());
    for hour in span.cut(Resolution::Hour.micros()) {
        let stretch = Stretch { series, from: hour, to: Micros(hour.0 + Resolution::Hour.micros()) };
        erased.rows += cut_recent(transaction, stretch, span).await?;
        erased.rows += cut_samples(transaction, stretch, span, &mut left).await?;
        cut_minutes(transaction, stretch, span, &mut erased).await?;
    }
    for day in span.cut(Resolution::Hour.row_micros()) {
        let stretch = Stretch { series, from: day, to: Micros(day.0 + Resolution::Hour.row_micros()) };
        cut_hours(transaction, stretch, (span, &left), &mut erased).await?;
    }
    Ok(erased)
}

async fn cut_recent(transaction: &Transaction<'_>, stretch: Stretch<'_>, span: Span) -> Result<u64, JobError> {
    let mut changed = 0;
    let mut left: BTreeMap<(i16, u64), Vec<StoredSamples>> = BTreeMap::new();
    for part in take_recent(transaction, stretch).await? {
        let (times, values) =
            outside(&part.stored, span).map_err(damage::of_part(part.slot, part.fold, &part.stored))?;
        changed += u64::from(times.len() < part.stored.row.count as usize);
        left.entry((part.slot, part.fold)).or_default().extend(rows(part.stored.series, &times, &values));
    }
    for ((slot, fold), rows) in left {
        samples::append_recent(transaction, slot, fold, &rows).await?;
    }
    Ok(changed)
}

async fn cut_samples(
    transaction: &Transaction<'_>,
    stretch: Stretch<'_>,
    span: Span,
    left: &mut Left,
) -> Result<u64, JobError> {
    let (mut changed, mut kept) = (0, Vec::new());
    let mut taken = take_samples(transaction, stretch).await?;
    taken.sort_by_key(|stored| (stored.series, stored.row.start));
    for stored in taken {
        let (times, values) = outside(&stored, span).map_err(damage::of_samples(&stored))?;
        changed += u64::from(times.len() < stored.row.count as usize);
        kept.extend(rows(stored.series, &times, &values));
        let (all_times, all_values) = left.entry((stored.series, stretch.from)).or_default();
        all_times.extend(times);
        all_values.extend(values);
    }
    samples::append(transaction, &kept).await?;
    Ok(changed)
}

async fn cut_minutes(
    transaction: &Transaction<'_>,
    stretch: Stretch<'_>,
    span: Span,
    erased: &mut Erased,
) -> Result<(), JobError> {
    const MINUTE: Resolution = Resolution::Minute;
    let mut kept = Vec::new();
    for stored in take_rollups(transaction, MINUTE, stretch).await? {
        let mut buckets = Vec::new();
        rollup_row::decode(&stored.row, MINUTE, &mut buckets).map_err(damage::of_rollup(&stored, MINUTE))?;
        let before = buckets.len();
        buckets.retain(|bucket| !span.covers(bucket.start, MINUTE.micros()));
        erased.rows += u64::from(buckets.len() < before);
        let partly = buckets.iter().filter(|bucket| span.touches(bucket.start, MINUTE.micros()));
        erased.buckets_kept += partly.count() as u64;
        kept.extend(row(stored.series, &buckets, MINUTE));
    }
    Ok(rollups::append(transaction, MINUTE, &kept).await?)
}

/// Hours at the ends are computed anew where there were samples, and kept where those were gone.
async fn cut_hours(
    transaction: &Transaction<'_>,
    stretch: Stretch<'_>,
    (span, left): (Span, &Left),
    erased: &mut Erased,
) -> Result<(), JobError> {
    const HOUR: Resolution = Resolution::Hour;
    let mut kept = Vec::new();
    for stored in take_rollups(transaction, HOUR, stretch).await? {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        rollup_row::decode(&stored.row, HOUR, &mut before).map_err(damage::of_rollup(&stored, HOUR))?;
        for bucket in &before {
            if span.covers(bucket.start, HOUR.micros()) {
                continue;
            }
            match left.get(&(stored.series, bucket.start)) {
                Some((times, values)) => rollup::roll_up(times, values, HOUR, &mut after),
                None => {
                    erased.buckets_kept += u64::from(span.touches(bucket.start, HOUR.micros()));
                    after.push(*bucket);
                }
            }
        }
        erased.rows += u64::from(after != before);
        kept.extend(row(stored.series, &after, HOUR));
    }
    Ok(rollups::append(transaction, HOUR, &kept).await?)
}

/// The samples of a row that are not in `span`.
fn outside(stored: &StoredSamples, span: Span) -> Result<(Vec<Micros>, Vec<f64>), RowError> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    samples_row::decode(&stored.row, &mut times, &mut values)?;
    let is_kept: Vec<bool> = times.iter().map(|time| !span.contains(*time)).collect();
    let mut keep = is_kept.iter();
    times.retain(|_| keep.next().is_none_or(|kept| *kept));
    let mut keep = is_kept.iter();
    values.retain(|_| keep.next().is_none_or(|kept| *kept));
    Ok((times, values))
}

fn rows<'a>(series: SeriesId, times: &'a [Micros], values: &'a [f64]) -> impl Iterator<Item = StoredSamples> + 'a {
    let chunks = times.chunks(ROW_SAMPLES_MAX).zip(values.chunks(ROW_SAMPLES_MAX));
    chunks.map(move |(times, values)| StoredSamples { series, row: samples_row::encode(times, values) })
}

fn row(series: SeriesId, buckets: &[Bucket], resolution: Resolution) -> Option<StoredRollup> {
    (!buckets.is_empty()).then(|| StoredRollup { series, row: rollup_row::encode(buckets, resolution) })
}

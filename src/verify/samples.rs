//! Packed rows one by one and against their neighbours, and the hours of closed days against the samples they stand for.

use super::report::Report;
use crate::codec::{rollup_row, samples_row};
use crate::model::{Bucket, Micros, Resolution, SeriesId};
use crate::rollup;
use crate::store::levels::samples::{StoredSamples, WINDOW_MICROS};
use crate::store::levels::{progress, rollups};
use crate::store::{Client, GenericClient, StoreError, verify};

/// Rows read at once. A day of one series takes 24 of them, or more when it has many samples.
const ROWS: i64 = 4_096;
const DAY_MICROS: i64 = Resolution::Hour.row_micros();
const FIRST: (i32, Micros) = (-1, Micros(i64::MIN));

pub(super) async fn check_recent(client: &Client, report: &mut Report) -> Result<(), StoreError> {
    let mut after = (FIRST.0, FIRST.1, 0);
    loop {
        let parts = verify::recent(client, after, ROWS).await?;
        for (_, stored) in &parts {
            report.parts += 1;
            if let Err(fault) = unpacked(stored) {
                report.fault(told("part", stored, &fault));
            }
        }
        match parts.last() {
            Some((fold, last)) if parts.len() as i64 == ROWS => {
                after = (last.series.0 as i32, last.row.start, *fold);
            }
            _ => return Ok(()),
        }
    }
}

/// Takes the rows day by day: the last day of a page is read again with the next one, so that it is whole.
pub(super) async fn check_samples(client: &mut Client, report: &mut Report) -> Result<(), StoreError> {
    let (mut after, mut rows_max) = (FIRST, ROWS);
    let mut before: Option<Unpacked> = None;
    loop {
        let transaction = verify::snapshot(client).await?;
        let rows = verify::samples(&transaction, after, rows_max).await?;
        let is_last = (rows.len() as i64) < rows_max;
        let days: Vec<&[StoredSamples]> = rows.chunk_by(|left, right| day(left) == day(right)).collect();
        let whole = if is_last { days.len() } else { days.len().saturating_sub(1) };
        for day in &days[..whole] {
            check_day(&transaction, day, &mut before, report).await?;
        }
        transaction.commit().await?;
        if is_last {
            return Ok(());
        }
        match days[..whole].last().and_then(|day| day.last()) {
            Some(last) => {
                after = (last.series.0 as i32, last.row.start);
                rows_max = ROWS;
            }
            // One day fills the page.
            None => rows_max *= 2,
        }
    }
}

/// A row taken apart.
struct Unpacked {
    series: SeriesId,
    times: Vec<Micros>,
    values: Vec<f64>,
}

/// Checks the rows of one series and day against each other and the one before, and the hours of the day if it is done.
async fn check_day(
    client: &impl GenericClient,
    rows: &[StoredSamples],
    before: &mut Option<Unpacked>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for stored in rows {
        report.rows += 1;
        match unpacked(stored) {
            Ok(row) => {
                let reaches_in = before
                    .as_ref()
                    .is_some_and(|before| before.series == row.series && before.times.last() >= row.times.first());
                if reaches_in {
                    report.fault(told("row", stored, "it overlaps the one before"));
                }
                report.samples += row.times.len() as u64;
                times.extend_from_slice(&row.times);
                values.extend_from_slice(&row.values);
                *before = Some(row);
            }
            Err(fault) => report.fault(told("row", stored, &fault)),
        }
    }
    let (series, start) = (first.series, rollup::start(first.row.start, DAY_MICROS));
    let done_to = progress::read(client).await?.days_to;
    if start.0.saturating_add(DAY_MICROS) <= done_to.0 && times.is_sorted() {
        let mut expected = Vec::new();
        rollup::roll_up(&times, &values, Resolution::Hour, &mut expected);
        check_hours(client, (series, start), &expected, report).await?;
    }
    Ok(())
}

/// Compares the hours that still have samples. Those whose samples have expired are not compared.
async fn check_hours(
    client: &impl GenericClient,
    (series, start): (SeriesId, Micros),
    expected: &[Bucket],
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut stored = Vec::new();
    for row in rollups::read(client, Resolution::Hour, &[series], start, start).await? {
        // One that is damaged is told when all of them are looked at.
        if rollup_row::decode(&row.row, Resolution::Hour, &mut stored).is_err() {
            return Ok(());
        }
    }
    for bucket in expected {
        report.hours += 1;
        let found = stored.iter().find(|stored| stored.start == bucket.start);
        if found.is_none_or(|found| !rollup::is_same(found, bucket)) {
            report.fault(format!(
                "series {}: the hour {} is {found:?}, its samples make {bucket:?}",
                series.0, bucket.start
            ));
        }
    }
    Ok(())
}

fn unpacked(stored: &StoredSamples) -> Result<Unpacked, String> {
    let mut row = Unpacked { series: stored.series, times: Vec::new(), values: Vec::new() };
    samples_row::decode(&stored.row, &mut row.times, &mut row.values).map_err(|error| error.to_string())?;
    let hour = |time: Option<&Micros>| time.map(|time| rollup::start(*time, WINDOW_MICROS));
    if hour(row.times.first()) != hour(row.times.last()) {
        Err("it reaches into another hour".to_owned())
    } else if samples_row::seconds(&row.times) != stored.row.seconds {
        Err("it ends at another time than it says".to_owned())
    } else {
        Ok(row)
    }
}

fn told(what: &str, stored: &StoredSamples, fault: &str) -> String {
    format!("{what} of series {} at {}: {fault}", stored.series.0, stored.row.start)
}

fn day(stored: &StoredSamples) -> (SeriesId, Micros) {
    (stored.series, rollup::start(stored.row.start, DAY_MICROS))
}

//! Packed rows of minutes and hours, one by one: also those whose samples are gone, which nothing can be compared with.

use super::report::Report;
use crate::codec::rollup_row;
use crate::model::{Micros, Resolution};
use crate::rollup;
use crate::store::levels::rollups::StoredRollup;
use crate::store::partitions::Monthly;
use crate::store::{Client, StoreError, verify};

/// Rows read at once.
const ROWS: i64 = 4_096;

pub(super) async fn check(client: &Client, resolution: Resolution, report: &mut Report) -> Result<(), StoreError> {
    let mut after = (-1, Micros(i64::MIN));
    loop {
        let rows = verify::rollups(client, resolution, after, ROWS).await?;
        for stored in &rows {
            report.rollups += 1;
            if let Some(fault) = fault(stored, resolution) {
                let (series, start) = (stored.series.0, stored.row.start);
                report.fault(format!("row of {} of series {series} at {start}: {fault}", table(resolution)));
            }
        }
        match rows.last() {
            Some(last) if rows.len() as i64 == ROWS => after = (last.series.0 as i32, last.row.start),
            _ => return Ok(()),
        }
    }
}

const fn table(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Minute => Monthly::Minutes.table(),
        Resolution::Hour => Monthly::Hours.table(),
    }
}

fn fault(stored: &StoredRollup, resolution: Resolution) -> Option<String> {
    let (start, mut buckets) = (stored.row.start, Vec::new());
    if let Err(error) = rollup_row::decode(&stored.row, resolution, &mut buckets) {
        return Some(error.to_string());
    }
    let is_within = |time: Micros| rollup::start(time, resolution.row_micros()) == start;
    if !is_within(start) || !buckets.iter().all(|bucket| is_within(bucket.start)) {
        return Some("it does not begin where its row does".to_owned());
    }
    if buckets.is_empty() || buckets.iter().any(|bucket| bucket.count == 0) {
        return Some("it holds a bucket without samples, or none".to_owned());
    }
    None
}

//! Blocks of the journal against the rows they are in.

use super::report::Report;
use crate::codec::block;
use crate::model::Batch;
use crate::store::verify::{self, JournalRow};
use crate::store::{Client, StoreError};

/// Rows read at once.
const ROWS: i64 = 256;

pub(super) async fn check(client: &Client, report: &mut Report) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let rows = verify::journal(client, after, ROWS).await?;
        for row in &rows {
            report.journal_blocks += 1;
            if let Some(fault) = fault(row) {
                let place = row.place;
                report.fault(format!(
                    "journal node {} lane {} sequence {} part {}: {fault}",
                    place.origin.node, place.origin.lane, place.sequence, place.part
                ));
            }
        }
        match rows.last() {
            Some(last) if rows.len() as i64 == ROWS => after = Some(last.place),
            _ => return Ok(()),
        }
    }
}

fn fault(row: &JournalRow) -> Option<String> {
    let mut batch = Batch::default();
    if let Err(error) = block::decode(&row.block, &mut batch) {
        return Some(error.to_string());
    }
    let (series, times) = (batch.series.iter().copied(), batch.times.iter().copied());
    let holds_what_it_says = batch.len() as i64 == i64::from(row.samples)
        && series.clone().min().zip(series.max()) == Some(row.series)
        && times.clone().min().zip(times.max()) == Some(row.times);
    let is_sorted = (1..batch.len())
        .all(|place| (batch.series[place - 1], batch.times[place - 1]) < (batch.series[place], batch.times[place]));
    match (holds_what_it_says, is_sorted) {
        (false, _) => Some("the block holds something else than its row says".to_owned()),
        (_, false) => Some("the block is not sorted".to_owned()),
        _ => None,
    }
}

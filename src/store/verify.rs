//! What the store's check of itself reads: every table from its beginning to its end, page by page.

use deadpool_postgres::{Client, GenericClient, Transaction};
use tokio_postgres::IsolationLevel;

use super::levels::rollups::{self, StoredRollup};
use super::levels::samples::{self, StoredSamples};
use super::{StoreError, Timestamp};
use crate::model::{Micros, Origin, Resolution, SeriesId};

/// A journal row with what its columns say of its block.
#[derive(Debug)]
pub struct JournalRow {
    pub place: JournalPlace,
    pub series: (SeriesId, SeriesId),
    pub times: (Micros, Micros),
    pub samples: i32,
    pub block: Vec<u8>,
}

/// Where a row of the journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPlace {
    pub origin: Origin,
    pub sequence: u64,
    pub part: i16,
    pub slot: i16,
}

/// A transaction that sees one state of everything and changes nothing.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn snapshot(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    Ok(snapshot.start().await?)
}

/// The rows of the journal after `after`.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn journal(
    client: &impl GenericClient,
    after: Option<JournalPlace>,
    rows_max: i64,
) -> Result<Vec<JournalRow>, StoreError> {
    let (node, lane, sequence, part, slot) = after.map_or((-1, 0, 0, 0, 0), |place| {
        (place.origin.node as i32, place.origin.lane as i16, place.sequence as i64, place.part, place.slot)
    });
    let statement = client.prepare_cached(include_str!("../../sql/queries/verify_journal.sql")).await?;
    let rows = client.query(&statement, &[&node, &lane, &sequence, &part, &slot, &rows_max]).await?;
    rows.iter().map(journal_row).collect()
}

/// The parts after the one given by series, start and fold.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn recent(
    client: &impl GenericClient,
    (series, start, fold): (i32, Micros, i64),
    rows_max: i64,
) -> Result<Vec<(i64, StoredSamples)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/verify_recent.sql")).await?;
    let rows = client.query(&statement, &[&series, &Timestamp(start), &fold, &rows_max]).await?;
    rows.iter().map(|row| Ok((row.try_get("fold")?, samples::stored(row)?))).collect()
}

/// The rows of samples after the one given by series and start.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn samples(
    client: &impl GenericClient,
    (series, start): (i32, Micros),
    rows_max: i64,
) -> Result<Vec<StoredSamples>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/verify_samples.sql")).await?;
    let rows = client.query(&statement, &[&series, &Timestamp(start), &rows_max]).await?;
    rows.iter().map(samples::stored).collect()
}

/// The rows of a rollup table after the one given by series and start.
///
/// # Errors
/// When PostgreSQL is not available or a row cannot be read.
pub async fn rollups(
    client: &impl GenericClient,
    resolution: Resolution,
    (series, start): (i32, Micros),
    rows_max: i64,
) -> Result<Vec<StoredRollup>, StoreError> {
    let sql = match resolution {
        Resolution::Minute => include_str!("../../sql/queries/verify_rollup_1m.sql"),
        Resolution::Hour => include_str!("../../sql/queries/verify_rollup_1h.sql"),
    };
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&series, &Timestamp(start), &rows_max]).await?;
    rows.iter().map(rollups::stored).collect()
}

/// Hours that are kept both as samples and as minutes.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn both_forms(client: &impl GenericClient, rows_max: i64) -> Result<Vec<(SeriesId, Micros)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/verify_both_forms.sql")).await?;
    let rows = client.query(&statement, &[&rows_max]).await?;
    let hour = |row: &tokio_postgres::Row| {
        let series: i32 = row.try_get("series")?;
        Ok((SeriesId(series as u32), row.try_get::<_, Timestamp>("start")?.0))
    };
    rows.iter().map(hour).collect()
}

/// Tables by month that lack the month of `moment`, or have a part for all the rest: a sentence each.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn tables(client: &impl GenericClient, moment: Micros) -> Result<Vec<String>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/verify_tables.sql")).await?;
    let rows = client.query(&statement, &[&Timestamp(moment)]).await?;
    let fault = |row: &tokio_postgres::Row| -> Result<String, StoreError> {
        let (name, fault): (&str, &str) = (row.try_get("name")?, row.try_get("fault")?);
        Ok(format!("{name} {fault}"))
    };
    rows.iter().map(fault).collect()
}

fn journal_row(row: &tokio_postgres::Row) -> Result<JournalRow, StoreError> {
    let (node, lane, sequence): (i32, i16, i64) =
        (row.try_get("node")?, row.try_get("lane")?, row.try_get("sequence")?);
    let (series_min, series_max): (i32, i32) = (row.try_get("series_min")?, row.try_get("series_max")?);
    let time = |column: &str| row.try_get::<_, Timestamp>(column).map(|time| time.0);
    Ok(JournalRow {
        place: JournalPlace {
            origin: Origin { node: node as u32, lane: lane as u16 },
            sequence: sequence as u64,
            part: row.try_get("part")?,
            slot: row.try_get("slot")?,
        },
        series: (SeriesId(series_min as u32), SeriesId(series_max as u32)),
        times: (time("time_min")?, time("time_max")?),
        samples: row.try_get("samples")?,
        block: row.try_get("block")?,
    })
}

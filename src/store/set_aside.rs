//! Damaged rows, taken out of the way of their neighbours: as they were, with what is wrong with them.

use deadpool_postgres::{GenericClient, Transaction};

use super::levels::fold::BlockHead;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Resolution, SeriesId};

/// Rows that may be set aside before somebody has looked. So many damaged rows are no accident of a disk any more.
pub const ROWS_MAX: u64 = 1_000;

/// Which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedRow {
    Block(BlockHead),
    Part { slot: i16, fold: u64, series: SeriesId, start: Micros },
    Samples { series: SeriesId, start: Micros },
    Rollup { resolution: Resolution, series: SeriesId, start: Micros },
}

/// A row that was set aside, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The table it was in.
    pub level: String,
    /// Its columns but for the packed ones, as JSON.
    pub place: String,
    pub reason: String,
    pub found_by: String,
    pub found_at: Micros,
}

/// Moves the row, and answers whether it was still there.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take(
    transaction: &Transaction<'_>,
    row: &DamagedRow,
    reason: &str,
    (found_by, found_at): (&str, Micros),
) -> Result<bool, StoreError> {
    let now = Timestamp(found_at);
    let moved = match *row {
        DamagedRow::Block(BlockHead { origin, sequence, part, slot, .. }) => {
            let sql = include_str!("../../sql/queries/set_aside_block.sql");
            let (node, lane, sequence) = (origin.node as i32, origin.lane as i16, sequence as i64);
            let statement = transaction.prepare_cached(sql).await?;
            transaction.execute(&statement, &[&node, &lane, &sequence, &part, &slot, &reason, &found_by, &now]).await?
        }
        DamagedRow::Part { slot, fold, series, start } => {
            let sql = include_str!("../../sql/queries/set_aside_part.sql");
            let (fold, series, start) = (fold as i64, series.0 as i32, Timestamp(start));
            let statement = transaction.prepare_cached(sql).await?;
            transaction.execute(&statement, &[&slot, &fold, &series, &start, &reason, &found_by, &now]).await?
        }
        DamagedRow::Samples { series, start } => {
            let sql = include_str!("../../sql/queries/set_aside_samples.sql");
            let statement = transaction.prepare_cached(sql).await?;
            let (series, start) = (series.0 as i32, Timestamp(start));
            transaction.execute(&statement, &[&series, &start, &reason, &found_by, &now]).await?
        }
        DamagedRow::Rollup { resolution, series, start } => {
            let sql = match resolution {
                Resolution::Minute => include_str!("../../sql/queries/set_aside_rollup_1m.sql"),
                Resolution::Hour => include_str!("../../sql/queries/set_aside_rollup_1h.sql"),
            };
            let statement = transaction.prepare_cached(sql).await?;
            let (series, start) = (series.0 as i32, Timestamp(start));
            transaction.execute(&statement, &[&series, &start, &reason, &found_by, &now]).await?
        }
    };
    Ok(moved > 0)
}

/// How many rows there are.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn count(client: &impl GenericClient) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/set_aside_count.sql")).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get::<_, i64>("rows")?.unsigned_abs())
}

/// The `rows_max` that were set aside last, the last one first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &impl GenericClient, rows_max: i64) -> Result<Vec<SetAside>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/set_aside_list.sql")).await?;
    let rows = client.query(&statement, &[&rows_max]).await?;
    let set_aside = |row: &tokio_postgres::Row| -> Result<SetAside, StoreError> {
        Ok(SetAside {
            level: row.try_get("level")?,
            place: row.try_get("place")?,
            reason: row.try_get("reason")?,
            found_by: row.try_get("found_by")?,
            found_at: row.try_get::<_, Timestamp>("found_at")?.0,
        })
    };
    rows.iter().map(set_aside).collect()
}

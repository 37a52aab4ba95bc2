//! How far data have moved. Written in the transactions that move them, see `jobs`.

use std::collections::BTreeMap;

use deadpool_postgres::{GenericClient, Transaction};

use crate::model::{Micros, Origin};
use crate::store::{StoreError, Timestamp};

/// The last folded flush of each writer; of others nothing was folded.
pub type FoldMarks = BTreeMap<Origin, u64>;

/// How far the levels below the journal have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Counts folds; parts are numbered by it.
    pub folds: u64,
    /// Counts the transactions that moved data from recent to samples.
    pub seals: u64,
    /// Windows before this have left recent, but for late data.
    pub sealed_to: Micros,
    /// `rollup_1h` holds every day before this.
    pub days_to: Micros,
    /// The last hour in which everything was looked through for what has expired.
    pub kept_at: Micros,
    /// Of no series anything before this is kept in any form.
    pub gone_to: Micros,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn fold_marks(client: &impl GenericClient) -> Result<FoldMarks, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/fold_marks.sql")).await?;
    let rows = client.query(&statement, &[]).await?;
    let mark = |row: &tokio_postgres::Row| -> Result<(Origin, u64), StoreError> {
        let (node, lane, sequence): (i32, i16, i64) =
            (row.try_get("node")?, row.try_get("lane")?, row.try_get("sequence")?);
        Ok((Origin { node: node as u32, lane: lane as u16 }, sequence as u64))
    };
    rows.iter().map(mark).collect()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn read(client: &impl GenericClient) -> Result<Progress, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/progress.sql")).await?;
    let never = Micros(i64::MIN);
    let mut progress =
        Progress { folds: 0, seals: 0, sealed_to: never, days_to: never, kept_at: never, gone_to: never };
    for row in client.query(&statement, &[]).await? {
        let (name, up_to, runs): (&str, Timestamp, i64) =
            (row.try_get("name")?, row.try_get("up_to")?, row.try_get("runs")?);
        let up_to = up_to.0.max(never);
        match name {
            "fold" => progress.folds = runs as u64,
            "seal" => (progress.seals, progress.sealed_to) = (runs as u64, up_to),
            "day" => progress.days_to = up_to,
            "keep" => progress.kept_at = up_to,
            "gone" => progress.gone_to = up_to,
            _ => {}
        }
    }
    Ok(progress)
}

/// Counts a transaction that moved data from recent to samples. With `up_to` windows before that have left recent.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn sealed(transaction: &Transaction<'_>, up_to: Option<Micros>) -> Result<(), StoreError> {
    moved(transaction, "seal", up_to).await
}

/// Every day before `up_to` is in `rollup_1h`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn days_done(transaction: &Transaction<'_>, up_to: Micros) -> Result<(), StoreError> {
    moved(transaction, "day", Some(up_to)).await
}

/// Notes that everything was looked through in the hour that begins at `hour`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn kept_at(client: &impl GenericClient, hour: Micros) -> Result<(), StoreError> {
    moved(client, "keep", Some(hour)).await
}

/// Notes that of no series anything before `time` is kept.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn gone_to(client: &impl GenericClient, time: Micros) -> Result<(), StoreError> {
    moved(client, "gone", Some(time)).await
}

async fn moved(client: &impl GenericClient, name: &str, up_to: Option<Micros>) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/progress_move.sql")).await?;
    let up_to = up_to.map_or(Timestamp::BEFORE_ALL, Timestamp);
    client.execute(&statement, &[&name, &up_to]).await?;
    Ok(())
}

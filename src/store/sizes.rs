//! What the large tables take on disk.

use deadpool_postgres::Client;

use super::StoreError;

/// The tables that grow with what comes in.
pub const TABLES: [&str; 5] = ["journal", "recent", "samples", "rollup_1m", "rollup_1h"];

/// A table with all its parts and indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub table: &'static str,
    pub bytes: u64,
    /// What PostgreSQL estimates; they take room until they are vacuumed, or the part is emptied.
    pub dead_rows: u64,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn tables(client: &Client) -> Result<Vec<TableSize>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/table_sizes.sql")).await?;
    let rows = client.query(&statement, &[&TABLES.as_slice()]).await?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in &rows {
        let name: &str = row.try_get("name")?;
        if let Some(table) = TABLES.into_iter().find(|table| *table == name) {
            let (bytes, dead_rows): (i64, i64) = (row.try_get("bytes")?, row.try_get("dead_rows")?);
            sizes.push(TableSize { table, bytes: bytes.unsigned_abs(), dead_rows: dead_rows.unsigned_abs() });
        }
    }
    Ok(sizes)
}

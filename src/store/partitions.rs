//! Tables by month: the part of a moment is made when it is needed.

use deadpool_postgres::GenericClient;

use super::{StoreError, Timestamp};
use crate::model::Micros;

/// What is kept by month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Monthly {
    Samples,
    Minutes,
    Hours,
    Events,
    Logs,
}

impl Monthly {
    pub const ALL: [Self; 5] = [Self::Samples, Self::Minutes, Self::Hours, Self::Events, Self::Logs];

    pub const fn table(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Minutes => "rollup_1m",
            Self::Hours => "rollup_1h",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }
}

/// Makes the part for the month (UTC) that `moment` is in. Answers whether it was missing.
///
/// # Errors
/// When PostgreSQL is not available, or another process makes it at the same moment: the caller tries again.
pub async fn make(client: &impl GenericClient, table: Monthly, moment: Micros) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/make_month.sql")).await?;
    let row = client.query_one(&statement, &[&table.table(), &Timestamp(moment)]).await?;
    Ok(row.try_get("made")?)
}

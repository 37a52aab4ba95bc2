//! Months before they are needed.

use super::patience::Tries;
use crate::jobs::{Context, JobError};
use crate::model::Month;
use crate::store::Client;
use crate::store::partitions::{self, Monthly};

/// How many months after this one have their tables.
pub const MONTHS_AHEAD: i32 = 2;

/// Makes this month and the next ones of every table by month. Answers how many were missing.
///
/// # Errors
/// When PostgreSQL is not available, or someone keeps a table locked.
pub async fn make_months(context: &Context) -> Result<u64, JobError> {
    let month = Month::of(context.clock.now());
    let months: Vec<Month> = (0..=MONTHS_AHEAD).map(|ahead| month.plus(ahead)).collect();
    let client = context.database.client().await?;
    let mut made = 0;
    for (table, month) in partitions::missing(&client, &months).await? {
        made += u64::from(make(&client, table, month).await?);
    }
    Ok(made)
}

pub(super) async fn make(client: &Client, table: Monthly, month: Month) -> Result<bool, JobError> {
    let mut tries = Tries::new();
    let made = loop {
        match partitions::make(client, table, month.start()).await {
            Err(error) if error.is_unavailable() && tries.pause().await => {}
            done => break done?,
        }
    };
    if made {
        tracing::info!(table = table.table(), month = %month, "made a month");
    }
    Ok(made)
}

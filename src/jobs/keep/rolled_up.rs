//! Minutes and hours that have expired.

use std::time::Duration;

use super::Turn;
use super::behind::{Droppable, drop_expired};
use super::pages::Pages;
use crate::jobs::retention::Horizons;
use crate::jobs::{JobError, moving};
use crate::model::{Micros, Resolution};
use crate::store::levels::expiry::{self, Expired};
use crate::store::partitions::{self, Monthly};
use crate::store::series::SeriesName;
use crate::store::{Client, transactions};

/// How many rows of a series go in one transaction.
const ROWS_OF_SERIES_MAX: usize = 48;

/// Takes away the rollups that have expired. Answers how many rows and months went.
pub(super) async fn expire(turn: Turn<'_>, resolution: Resolution) -> Result<u64, JobError> {
    let Turn { context, policy, now, wait_max } = turn;
    let (table, horizon): (Monthly, fn(Horizons) -> Micros) = match resolution {
        Resolution::Minute => (Monthly::Minutes, |horizons| horizons.minutes),
        Resolution::Hour => (Monthly::Hours, |horizons| horizons.hours),
    };
    let mut gone = drop_expired(context, (table, horizon(policy.earliest(now))), Droppable::All, wait_max).await?;
    let mut client = context.database.client().await?;
    let latest = horizon(policy.latest(now));
    let months = partitions::list(&client, table).await?;
    if !months.iter().any(|stored| stored.is_part && stored.month.start() < latest) {
        return Ok(gone);
    }
    let mut pages = Pages::default();
    while let Some(names) = pages.next(&client).await? {
        let expired = |name: &SeriesName| {
            let tiers = policy.tiers(&name.metric_type, &name.metric_name, &name.hostname);
            Expired { series: name.id, before: horizon(tiers.horizons(now)) }
        };
        let page: Vec<Expired> = names.iter().map(expired).collect();
        gone += expire_page(&mut client, resolution, &page, wait_max).await?;
    }
    Ok(gone)
}

async fn expire_page(
    client: &mut Client,
    resolution: Resolution,
    page: &[Expired],
    wait_max: Duration,
) -> Result<u64, JobError> {
    let mut rows = 0;
    loop {
        let transaction = moving::begin(client, wait_max).await?;
        let gone = expiry::delete_rollups(&transaction, resolution, page, ROWS_OF_SERIES_MAX).await?;
        transactions::commit(transaction).await?;
        rows += gone.rows;
        if gone.rows_of_series < ROWS_OF_SERIES_MAX as u64 {
            return Ok(rows);
        }
    }
}

//! Samples that have expired become minutes.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::TryStreamExt;

use super::Turn;
use super::ahead;
use super::behind::{Droppable, drop_expired};
use super::cut::{self, ROWS_OF_SERIES_MAX, hour};
use super::minutes::{Minutes, merged};
use super::pages::Pages;
use crate::jobs::damage::Finder;
use crate::jobs::{JobError, moving};
use crate::model::{Micros, Resolution, SeriesId};
use crate::store::levels::expiry::{self, Expired};
use crate::store::levels::rollups::{self, StoredRollup};
use crate::store::partitions::{self, Monthly};
use crate::store::{Client, Transaction};

/// Some series: what of their samples has expired, and from when on they have minutes.
#[derive(Debug, Default)]
struct Page {
    expired: Vec<Expired>,
    minutes_from: HashMap<SeriesId, Micros>,
}

/// Takes away the samples that have expired, those of days before `days_to` only. Answers how many rows and months went.
pub(super) async fn expire(turn: Turn<'_>, days_to: Micros) -> Result<u64, JobError> {
    let Turn { context, policy, now, wait_max } = turn;
    let (earliest, latest) = (policy.earliest(now), policy.latest(now).raw.min(days_to));
    let all_expired = earliest.raw.min(days_to);
    // Of months whose minutes have expired as well, nothing is to be made.
    let unwanted = all_expired.min(earliest.minutes);
    let mut gone = drop_expired(context, (Monthly::Samples, unwanted), Droppable::All, wait_max).await?;
    let mut client = context.database.client().await?;
    let months = partitions::list(&client, Monthly::Samples).await?;
    let months: Vec<_> = months.iter().filter(|one| one.is_part && one.month.start() < latest).collect();
    if months.is_empty() {
        return Ok(gone);
    }
    for stored in months.iter().filter(|stored| stored.month.end() > earliest.minutes) {
        ahead::make(&client, Monthly::Minutes, stored.month).await?;
    }
    let mut pages = Pages::default();
    while let Some(names) = pages.next(&client).await? {
        let mut page = Page::default();
        for name in &names {
            let horizons = policy.tiers(&name.metric_type, &name.metric_name, &name.hostname).horizons(now);
            page.expired.push(Expired { series: name.id, before: horizons.raw.min(days_to) });
            page.minutes_from.insert(name.id, horizons.minutes);
        }
        gone += expire_page(&mut client, &page, turn.finder()).await?;
    }
    drop(client);
    Ok(gone + drop_expired(context, (Monthly::Samples, all_expired), Droppable::Unused, wait_max).await?)
}

async fn expire_page(client: &mut Client, page: &Page, finder: Finder<'_>) -> Result<u64, JobError> {
    let mut gone = 0;
    loop {
        let slice = expire_slice(client, page, finder.turn_wait).await;
        match finder.settle(client, slice).await? {
            Some(0) => return Ok(gone),
            Some(taken) => gone += taken,
            // Again, without a row that was damaged.
            None => {}
        }
    }
}

/// Takes the next slice away and answers how many rows that were.
async fn expire_slice(client: &mut Client, page: &Page, wait_max: Duration) -> Result<u64, JobError> {
    let transaction = moving::begin(client, wait_max).await?;
    let rows = expiry::oldest_samples(&transaction, &page.expired, ROWS_OF_SERIES_MAX).await?;
    let slice = cut::slice(&rows, &page.expired);
    let mut taken = 0;
    if !slice.is_empty() {
        let minutes;
        (taken, minutes) = take(&transaction, &slice, page).await?;
        write(&transaction, minutes).await?;
    }
    // Ended here, and not when nobody looks: the next one may be on another connection, and find the lock taken.
    moving::commit(transaction).await?;
    Ok(taken)
}

/// Takes a slice away. Answers how many rows that were, and the minutes they leave.
async fn take(
    transaction: &Transaction<'_>,
    slice: &[Expired],
    page: &Page,
) -> Result<(u64, Vec<StoredRollup>), JobError> {
    let mut rows = expiry::take_samples(transaction, slice).await?;
    let (mut taken, mut minutes) = (0, Minutes::default());
    while let Some(row) = rows.try_next().await? {
        taken += 1;
        let has_minutes = page.minutes_from.get(&row.series).is_some_and(|from| hour(row.row.start) >= *from);
        if has_minutes {
            minutes.add(&row)?;
        }
        tokio::task::consume_budget().await;
    }
    Ok((taken, minutes.finish()))
}

/// Adds rows of minutes to those that are there.
async fn write(transaction: &Transaction<'_>, mut rows: Vec<StoredRollup>) -> Result<(), JobError> {
    let places: Vec<(SeriesId, Micros)> = rows.iter().map(|one| (one.series, one.row.start)).collect();
    if places.is_empty() {
        return Ok(());
    }
    // There are some when the hour expired before, and its samples came again, or were kept for longer since.
    for kept in expiry::take_minutes(transaction, &places).await? {
        let place = places.binary_search(&(kept.series, kept.row.start));
        if let Some(row) = place.ok().and_then(|place| rows.get_mut(place)) {
            *row = merged(&kept, row)?;
        }
    }
    Ok(rollups::append(transaction, Resolution::Minute, &rows).await?)
}

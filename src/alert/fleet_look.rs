//! The look at the fleet: which endpoints are silent, which disks are full. Done again and again, by whichever node is
//! first; what was told is not told again for a while, whoever looks.

use std::time::Duration;

use super::Signals;
use super::packs::fleet::{self, Alarm, Endpoint, LowVolume};
use super::quiet::Quiet;
use super::reports::{stored, subject};
use crate::model::alert::Event;
use crate::model::{Micros, ServerKey};
use crate::settings::{self, Alerts};
use crate::store::alerts::fleet::{EndpointRow, endpoints, forget_keys, take_keys};
use crate::store::alerts::{Finding, NoticeRow, record};
use crate::store::{Database, StoreError, Transaction, transactions};

/// Endpoints read at once, and told of in one transaction.
const PAGE_ENDPOINTS: i64 = 1_000;
/// Longer than anything may go untold.
const KEYS_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Looks once, and answers how much there was to tell.
///
/// # Errors
/// When PostgreSQL is not available. What was told before stays told.
pub async fn look(database: &Database, now: Micros, signals: &Signals) -> Result<u64, StoreError> {
    let mut client = database.client().await?;
    let settings = settings::alerts(&client).await?;
    if !settings.enabled {
        return Ok(0);
    }
    forget_keys(&client, Micros(now.0.saturating_sub(KEYS_KEPT.as_micros() as i64))).await?;
    let (mut told, mut after, mut low) = (0, i32::MIN, Vec::new());
    loop {
        let page = endpoints(&client, fleet::PACK, after, PAGE_ENDPOINTS).await?;
        let is_last = page.len() < PAGE_ENDPOINTS as usize;
        after = page.last().map_or(i32::MAX, |row| row.id);
        let page: Vec<Endpoint> = page.into_iter().filter_map(endpoint).collect();
        let alarms: Vec<Alarm> = page.iter().filter_map(|endpoint| endpoint.silent(&settings, now)).collect();
        collect(&page, &settings, &mut low);
        let transaction = transactions::begin(&mut client).await?;
        told += tell(&transaction, alarms, &settings, now).await?;
        transactions::commit(transaction).await?;
        if is_last {
            break;
        }
    }
    let transaction = transactions::begin(&mut client).await?;
    let alarm = fleet::low_disk(low, &settings, now);
    told += tell(&transaction, alarm.into_iter().collect(), &settings, now).await?;
    transactions::commit(transaction).await?;
    if told > 0 {
        signals.recorded();
    }
    Ok(told)
}

/// At most so many that one message can list them.
fn collect(page: &[Endpoint], settings: &Alerts, low: &mut Vec<LowVolume>) {
    let room = fleet::VOLUMES_MAX.saturating_sub(low.len());
    low.extend(page.iter().flat_map(|endpoint| endpoint.low_volumes(settings)).take(room));
}

async fn tell(
    transaction: &Transaction<'_>,
    alarms: Vec<Alarm>,
    settings: &Alerts,
    now: Micros,
) -> Result<u64, StoreError> {
    if alarms.is_empty() {
        return Ok(0);
    }
    let dedup_micros = i64::from(settings.dedup_minutes) * 60 * Micros::PER_SECOND;
    let keys: Vec<&str> = alarms.iter().map(|alarm| alarm.key.as_str()).collect();
    let due = take_keys(transaction, &keys, now, Micros(now.0.saturating_sub(dedup_micros))).await?;
    let channels = fleet::channels(&settings.notify);
    let alarms: Vec<Alarm> = alarms.into_iter().filter(|alarm| due.contains(&alarm.key)).collect();
    let servers: Vec<ServerKey> = alarms.iter().filter_map(|alarm| server(&alarm.event)).collect();
    let quiet = Quiet::of(transaction, &servers, now).await?;
    let mut finding = Finding::default();
    for Alarm { event, body, .. } in alarms {
        let place = finding.events.len();
        let is_silent = quiet.is_silent(subject(&event), server(&event));
        finding.events.push(event);
        finding.notices.extend(channels.iter().filter(|_| !is_silent).map(|channel| NoticeRow {
            to: Err(serde_json::to_value(channel).unwrap_or_default()),
            event: Some(place),
            body: stored(&body),
        }));
    }
    let told = finding.events.len() as u64;
    if told > 0 {
        record(transaction, &finding, now).await?;
    }
    Ok(told)
}

fn server(event: &Event) -> Option<ServerKey> {
    event.server.map(|(server, _)| server)
}

fn endpoint(row: EndpointRow) -> Option<Endpoint> {
    let kept = serde_json::from_value(row.kept).ok()?;
    Some(Endpoint { id: row.id, server: row.server, kept })
}

//! What was found, written in one transaction: how series stand now, what happened, and what people are to be told.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::types::Json;

use crate::model::Micros;
use crate::model::alert::{Event, RecipientId, Source, State};
use crate::store::text::{stored, stored_json};
use crate::store::{StoreError, Timestamp};

/// The longest title; a longer one is cut.
const TITLE_BYTES_MAX: usize = 1024;

/// All that follows from one look at things.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    pub states: Vec<State>,
    pub events: Vec<Event>,
    pub notices: Vec<NoticeRow>,
}

/// What one recipient or channel is to be told.
#[derive(Clone, Debug)]
pub struct NoticeRow {
    pub to: Result<RecipientId, Value>,
    /// The place in [`Finding::events`] of what it tells of, where that is one.
    pub event: Option<usize>,
    pub body: Value,
}

impl Finding {
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.events.is_empty() && self.notices.is_empty()
    }
}

/// Writes it, as part of whatever transaction `client` is in, and answers the numbers of the events in their order.
/// States of rules that are gone, and notices to recipients that are gone, are passed over.
///
/// # Errors
/// When PostgreSQL is not available, or something it refers to was deleted in this very moment.
pub async fn record(client: &impl GenericClient, finding: &Finding, now: Micros) -> Result<Vec<i64>, StoreError> {
    if !finding.states.is_empty() {
        put_states(client, &finding.states, now).await?;
    }
    let ids = if finding.events.is_empty() { Vec::new() } else { add_events(client, &finding.events).await? };
    if !finding.notices.is_empty() {
        add_notices(client, &finding.notices, &ids, now).await?;
    }
    Ok(ids)
}

async fn put_states(client: &impl GenericClient, states: &[State], now: Micros) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_state_put.sql")).await?;
    let time = |time: Option<Micros>| time.map(Timestamp);
    let rules: Vec<i64> = states.iter().map(|state| state.rule.0).collect();
    let series: Vec<i32> = states.iter().map(|state| state.series.map_or(0, |series| series.0.cast_signed())).collect();
    let servers: Vec<i32> = states.iter().map(|state| state.server.0).collect();
    let phases: Vec<&str> = states.iter().map(|state| state.phase.name()).collect();
    let since: Vec<Timestamp> = states.iter().map(|state| Timestamp(state.since)).collect();
    let judged: Vec<Option<Timestamp>> = states.iter().map(|state| time(state.judged_until)).collect();
    let values: Vec<Option<f64>> = states.iter().map(|state| state.value).collect();
    let fired: Vec<Option<Timestamp>> = states.iter().map(|state| time(state.fired_at)).collect();
    let told: Vec<Option<Timestamp>> = states.iter().map(|state| time(state.told_at)).collect();
    let by: Vec<Option<&str>> = states.iter().map(|state| state.acknowledged_by.as_deref()).collect();
    let flips: Vec<Json<Vec<i64>>> =
        states.iter().map(|state| Json(state.flips.iter().map(|time| time.0).collect())).collect();
    client
        .execute(
            &statement,
            &[
                &rules,
                &series,
                &servers,
                &phases,
                &since,
                &judged,
                &values,
                &fired,
                &told,
                &by,
                &flips,
                &Timestamp(now),
            ],
        )
        .await?;
    Ok(())
}

async fn add_events(client: &impl GenericClient, events: &[Event]) -> Result<Vec<i64>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_event_add.sql")).await?;
    let at: Vec<Timestamp> = events.iter().map(|event| Timestamp(event.at)).collect();
    let owners: Vec<Option<i64>> = events.iter().map(|event| event.owner.map(|owner| owner.0)).collect();
    let rules: Vec<Option<i64>> = events.iter().map(|event| rule_of(event.source)).collect();
    let packs: Vec<Option<&str>> = events.iter().map(|event| pack_of(event.source)).collect();
    let servers: Vec<Option<i32>> = events.iter().map(|event| event.server.map(|(key, _)| key.0)).collect();
    let series: Vec<Option<i32>> =
        events.iter().map(|event| event.series.map(|series| series.0.cast_signed())).collect();
    let changes: Vec<&str> = events.iter().map(|event| event.happened.name()).collect();
    let severities: Vec<&str> = events.iter().map(|event| event.severity.name()).collect();
    let titles: Vec<String> = events.iter().map(|event| stored(&event.title, TITLE_BYTES_MAX)).collect();
    let times: Vec<Option<Timestamp>> = events.iter().map(|event| event.sample_time.map(Timestamp)).collect();
    let values: Vec<Option<f64>> = events.iter().map(|event| event.value).collect();
    let details: Vec<String> = events.iter().map(|event| stored_json(&Value::Object(event.details.clone()))).collect();
    let rows = client
        .query(
            &statement,
            &[
                &at,
                &owners,
                &rules,
                &packs,
                &servers,
                &series,
                &changes,
                &severities,
                &titles,
                &times,
                &values,
                &details,
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

async fn add_notices(
    client: &impl GenericClient,
    notices: &[NoticeRow],
    events: &[i64],
    now: Micros,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_notice_add.sql")).await?;
    let recipients: Vec<Option<i64>> = notices.iter().map(|notice| notice.to.as_ref().ok().map(|id| id.0)).collect();
    let channels: Vec<Option<String>> =
        notices.iter().map(|notice| notice.to.as_ref().err().map(stored_json)).collect();
    let of: Vec<Option<i64>> =
        notices.iter().map(|notice| notice.event.and_then(|place| events.get(place)).copied()).collect();
    let bodies: Vec<String> = notices.iter().map(|notice| stored_json(&notice.body)).collect();
    client.execute(&statement, &[&recipients, &channels, &of, &bodies, &Timestamp(now)]).await?;
    Ok(())
}

fn rule_of(source: Source) -> Option<i64> {
    match source {
        Source::Rule(rule) => Some(rule.0),
        Source::Pack(_) => None,
    }
}

fn pack_of(source: Source) -> Option<&'static str> {
    match source {
        Source::Rule(_) => None,
        Source::Pack(pack) => Some(pack),
    }
}

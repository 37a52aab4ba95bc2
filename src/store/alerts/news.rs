//! What happened, as it comes in, for those who tell it live.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::model::Micros;
use crate::store::{StoreError, Timestamp};

#[derive(Clone, Debug)]
pub struct NewsRow {
    pub id: i64,
    pub at: Micros,
    pub rule: Option<i64>,
    pub rule_name: Option<String>,
    pub pack: Option<String>,
    pub server: Option<Uuid>,
    pub hostname: Option<String>,
    pub change: String,
    pub severity: String,
    pub title: String,
    pub sample_time: Option<Micros>,
    pub value: Option<f64>,
    pub details: Value,
}

/// The newest number there is, and those of the `looked_back` before it that are not there: whoever took them may be yet
/// to commit.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(client: &impl GenericClient, looked_back: i64) -> Result<(i64, Vec<i64>), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_news_begin.sql")).await?;
    let row = client.query_one(&statement, &[&looked_back]).await?;
    Ok((row.try_get("newest")?, row.try_get("missing")?))
}

/// What has a number above `after` or one of `missing`, by number.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn read(
    client: &impl GenericClient,
    after: i64,
    missing: &[i64],
    events_max: i64,
) -> Result<Vec<NewsRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_news.sql")).await?;
    let rows = client.query(&statement, &[&after, &missing, &events_max]).await?;
    rows.iter().map(news).collect()
}

fn news(row: &Row) -> Result<NewsRow, StoreError> {
    Ok(NewsRow {
        id: row.try_get("id")?,
        at: row.try_get::<_, Timestamp>("at")?.0,
        rule: row.try_get("rule")?,
        rule_name: row.try_get("rule_name")?,
        pack: row.try_get("pack")?,
        server: row.try_get("server_id")?,
        hostname: row.try_get("hostname")?,
        change: row.try_get("change")?,
        severity: row.try_get("severity")?,
        title: row.try_get("title")?,
        sample_time: row.try_get::<_, Option<Timestamp>>("sample_time")?.map(|time| time.0),
        value: row.try_get("value")?,
        details: row.try_get::<_, Json<Value>>("details")?.0,
    })
}

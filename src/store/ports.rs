//! Ports an agent probes, and the outcomes.

use deadpool_postgres::Client;
use uuid::Uuid;

use super::reach::parameter;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Reach};

#[derive(Clone, Debug)]
pub struct NewCheck {
    pub server_id: Uuid,
    pub name: String,
    pub host: String,
    pub port: u16,
    pub protocol: String,
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: Uuid,
    pub check: NewCheck,
    pub created_at: Micros,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub success: bool,
    pub latency_ms: f64,
    pub error: String,
    pub checked_at: Micros,
}

/// Adds a check. `None` when no such server is within reach, or it has `checks_max` checks.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add_check(
    client: &Client,
    check: NewCheck,
    checks_max: i64,
    reach: &Reach,
) -> Result<Option<Check>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/port_check_add.sql")).await?;
    let NewCheck { server_id, name, host, port, protocol } = &check;
    let (port, reach) = (i32::from(*port), parameter(reach));
    let row = client.query_opt(&statement, &[server_id, name, host, &port, protocol, &checks_max, &reach]).await?;
    row.map(|row| Ok(Check { id: row.try_get("id")?, created_at: row.try_get::<_, Timestamp>("created_at")?.0, check }))
        .transpose()
}

/// The checks of a server, oldest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn checks(
    client: &Client,
    server_id: Uuid,
    checks_max: i64,
    reach: &Reach,
) -> Result<Vec<Check>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/port_check_list.sql")).await?;
    let rows = client.query(&statement, &[&server_id, &checks_max, &parameter(reach)]).await?;
    rows.iter()
        .map(|row| {
            let port: i32 = row.try_get("port")?;
            let port = u16::try_from(port).map_err(|_| StoreError::Unreadable(format!("port {port}")))?;
            let (name, host, protocol) = (row.try_get("name")?, row.try_get("host")?, row.try_get("protocol")?);
            let check = NewCheck { server_id, name, host, port, protocol };
            Ok(Check { id: row.try_get("id")?, created_at: row.try_get::<_, Timestamp>("created_at")?.0, check })
        })
        .collect()
}

/// Adds the outcome of a check, lets go of the oldest beyond `outcomes_max`, and answers the new one's id.
///
/// # Errors
/// [`StoreError::MissingReference`] when there is no such check within reach, otherwise when PostgreSQL is not available.
pub async fn add_outcome(
    client: &Client,
    check_id: Uuid,
    outcome: &Outcome,
    outcomes_max: i64,
    reach: &Reach,
) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/port_result_add.sql")).await?;
    let (checked_at, reach) = (Timestamp(outcome.checked_at), parameter(reach));
    let Outcome { success, latency_ms, error, .. } = outcome;
    let row = client
        .query_opt(&statement, &[&check_id, success, latency_ms, error, &checked_at, &reach])
        .await?
        .ok_or(StoreError::MissingReference)?;
    let prune = client.prepare_cached(include_str!("../../sql/queries/port_result_prune.sql")).await?;
    client.execute(&prune, &[&check_id, &outcomes_max]).await?;
    Ok(row.try_get("id")?)
}

/// The latest outcomes of a check, newest first, with their ids.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn outcomes(
    client: &Client,
    check_id: Uuid,
    outcomes_max: i64,
    reach: &Reach,
) -> Result<Vec<(i64, Outcome)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/port_result_list.sql")).await?;
    let rows = client.query(&statement, &[&check_id, &outcomes_max, &parameter(reach)]).await?;
    rows.iter()
        .map(|row| {
            let checked_at = row.try_get::<_, Timestamp>("checked_at")?.0;
            let (success, latency_ms, error) =
                (row.try_get("success")?, row.try_get("latency_ms")?, row.try_get("error")?);
            Ok((row.try_get("id")?, Outcome { success, latency_ms, error, checked_at }))
        })
        .collect()
}

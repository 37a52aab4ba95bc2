//! What jobs say of their runs, for whichever node is asked.

use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{StoreError, Timestamp};
use crate::model::Micros;

/// What is known of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRow {
    pub name: String,
    /// Of the last run that has ended.
    pub started_at: Option<Micros>,
    pub ended_at: Option<Micros>,
    pub rows: u64,
    pub error: Option<String>,
    pub node: Option<u32>,
    /// When the last run that did not fail began.
    pub succeeded_at: Option<Micros>,
    /// The run that goes on now, and where. Stays when that node was killed, until the next run ends.
    pub running_since: Option<Micros>,
    pub running_on: Option<u32>,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct EndedRun<'a> {
    pub name: &'a str,
    pub node: u32,
    pub started_at: Micros,
    pub ended_at: Micros,
    /// The rows it wrote or removed, or why it failed.
    pub outcome: Result<u64, String>,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client) -> Result<Vec<JobRow>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/jobs_list.sql")).await?;
    client.query(&statement, &[]).await?.iter().map(job_row).collect()
}

/// Says that a job runs on `node`, unless another node has said so later than `killed_before`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn begin(
    client: &Client,
    name: &str,
    node: u32,
    now: Micros,
    killed_before: Micros,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/jobs_begin.sql")).await?;
    client.execute(&statement, &[&name, &Timestamp(now), &(node as i32), &Timestamp(killed_before)]).await?;
    Ok(())
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn end(client: &Client, run: &EndedRun<'_>) -> Result<(), StoreError> {
    let (rows, error) = match &run.outcome {
        Ok(rows) => (*rows, None),
        Err(error) => (0, Some(error)),
    };
    let (started_at, ended_at) = (Timestamp(run.started_at), Timestamp(run.ended_at));
    let statement = client.prepare_cached(include_str!("../../sql/queries/jobs_end.sql")).await?;
    let rows = rows.cast_signed();
    client.execute(&statement, &[&run.name, &started_at, &ended_at, &rows, &error, &(run.node as i32)]).await?;
    Ok(())
}

/// Takes back what [`begin`] said.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn leave(client: &Client, name: &str, node: u32) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/jobs_leave.sql")).await?;
    client.execute(&statement, &[&name, &(node as i32)]).await?;
    Ok(())
}

fn job_row(row: &Row) -> Result<JobRow, StoreError> {
    let time = |column: &str| row.try_get::<_, Option<Timestamp>>(column).map(|time| time.map(|time| time.0));
    let node = |column: &str| row.try_get::<_, Option<i32>>(column).map(|node| node.map(|node| node as u32));
    Ok(JobRow {
        name: row.try_get("name")?,
        started_at: time("started_at")?,
        ended_at: time("ended_at")?,
        rows: row.try_get::<_, i64>("rows")?.cast_unsigned(),
        error: row.try_get("error")?,
        node: node("node")?,
        succeeded_at: time("succeeded_at")?,
        running_since: time("running_since")?,
        running_on: node("running_on")?,
    })
}

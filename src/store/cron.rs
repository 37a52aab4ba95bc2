//! Scheduled commands an agent watches, and their runs.

use deadpool_postgres::Client;
use uuid::Uuid;

use super::reach::parameter;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Reach};

#[derive(Clone, Debug)]
pub struct NewJob {
    pub server_id: Uuid,
    pub name: String,
    pub schedule: String,
    pub command: String,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub job: NewJob,
    pub created_at: Micros,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub success: bool,
    pub duration_ms: f64,
    pub output: String,
    pub ran_at: Micros,
}

/// Adds a job. `None` when no such server is within reach, or it has `jobs_max` jobs.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add_job(client: &Client, job: NewJob, jobs_max: i64, reach: &Reach) -> Result<Option<Job>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/cron_job_add.sql")).await?;
    let NewJob { server_id, name, schedule, command } = &job;
    let reach = parameter(reach);
    let row = client.query_opt(&statement, &[server_id, name, schedule, command, &jobs_max, &reach]).await?;
    row.map(|row| Ok(Job { id: row.try_get("id")?, created_at: row.try_get::<_, Timestamp>("created_at")?.0, job }))
        .transpose()
}

/// The jobs of a server, oldest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn jobs(client: &Client, server_id: Uuid, jobs_max: i64, reach: &Reach) -> Result<Vec<Job>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/cron_job_list.sql")).await?;
    let rows = client.query(&statement, &[&server_id, &jobs_max, &parameter(reach)]).await?;
    rows.iter()
        .map(|row| {
            let (name, schedule, command) = (row.try_get("name")?, row.try_get("schedule")?, row.try_get("command")?);
            let job = NewJob { server_id, name, schedule, command };
            Ok(Job { id: row.try_get("id")?, created_at: row.try_get::<_, Timestamp>("created_at")?.0, job })
        })
        .collect()
}

/// Adds a run of a job, lets go of the oldest beyond `runs_max`, and answers the new one's id.
///
/// # Errors
/// [`StoreError::MissingReference`] when there is no such job within reach, otherwise when PostgreSQL is not available.
pub async fn add_run(
    client: &Client,
    job_id: Uuid,
    run: &Run,
    runs_max: i64,
    reach: &Reach,
) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/cron_result_add.sql")).await?;
    let (ran_at, reach) = (Timestamp(run.ran_at), parameter(reach));
    let row = client
        .query_opt(&statement, &[&job_id, &run.success, &run.duration_ms, &run.output, &ran_at, &reach])
        .await?
        .ok_or(StoreError::MissingReference)?;
    let prune = client.prepare_cached(include_str!("../../sql/queries/cron_result_prune.sql")).await?;
    client.execute(&prune, &[&job_id, &runs_max]).await?;
    Ok(row.try_get("id")?)
}

/// The latest runs of a job, newest first, with their ids.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn runs(client: &Client, job_id: Uuid, runs_max: i64, reach: &Reach) -> Result<Vec<(i64, Run)>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/cron_result_list.sql")).await?;
    let rows = client.query(&statement, &[&job_id, &runs_max, &parameter(reach)]).await?;
    rows.iter()
        .map(|row| {
            let ran_at = row.try_get::<_, Timestamp>("ran_at")?.0;
            let (success, duration_ms, output) =
                (row.try_get("success")?, row.try_get("duration_ms")?, row.try_get("output")?);
            Ok((row.try_get("id")?, Run { success, duration_ms, output, ran_at }))
        })
        .collect()
}

//! `/api/v1/cron`: scheduled commands an agent watches, and their runs.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answering, Services, input, output};
use crate::http::{Request, response};
use crate::store::cron::{self, Job, NewJob, Run};

/// Jobs of a server and runs of a job that are kept and answered.
const LISTED_MAX: i64 = 1_000;

#[derive(Debug, Deserialize)]
struct SentJob {
    server_id: Option<String>,
    name: Option<String>,
    schedule: Option<String>,
    command: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SentRun {
    job_id: Option<String>,
    success: Option<bool>,
    duration_ms: Option<f64>,
    output: Option<String>,
    timestamp: Option<String>,
}

pub(super) fn add_job(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentJob = input::json(&services, &mut request).await?;
        let server_id = input::id("server_id", sent.server_id)?;
        let new = NewJob {
            server_id,
            name: input::required("Name", sent.name)?,
            schedule: input::required("Schedule", sent.schedule)?,
            command: input::optional("command", sent.command)?,
        };
        let reach = &request.principal.reach;
        let job = cron::add_job(&services.database.client().await?, new, LISTED_MAX, reach).await?;
        let job = job.ok_or_else(|| output::no_room(server_id, "jobs", LISTED_MAX))?;
        response::json(StatusCode::CREATED, &shown_job(&job))
    })
}

pub(super) fn jobs(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let server_id = input::queried_id(&request, "server_id")?;
        let reach = &request.principal.reach;
        let jobs = cron::jobs(&services.database.client().await?, server_id, LISTED_MAX, reach).await?;
        output::list_or_null(jobs.iter().map(shown_job).collect())
    })
}

pub(super) fn add_result(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: SentRun = input::json(&services, &mut request).await?;
        let job_id = input::id("job_id", sent.job_id)?;
        let run = Run {
            success: sent.success.unwrap_or_default(),
            duration_ms: sent.duration_ms.unwrap_or_default(),
            output: input::optional("output", sent.output)?,
            ran_at: input::time("timestamp", sent.timestamp.as_deref(), services.clock.now())?,
        };
        let reach = &request.principal.reach;
        let id = cron::add_run(&services.database.client().await?, job_id, &run, LISTED_MAX, reach).await?;
        response::json(StatusCode::CREATED, &shown_run(job_id, id, &run))
    })
}

pub(super) fn results(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let job_id = input::queried_id(&request, "job_id")?;
        let reach = &request.principal.reach;
        let runs = cron::runs(&services.database.client().await?, job_id, LISTED_MAX, reach).await?;
        output::list_or_null(runs.iter().map(|(id, run)| shown_run(job_id, *id, run)).collect())
    })
}

fn shown_job(job: &Job) -> Value {
    let Job { id, job: NewJob { server_id, name, schedule, command }, created_at } = job;
    json!({
        "id": id, "server_id": server_id, "name": name, "schedule": schedule, "command": command,
        "created_at": created_at.to_string(),
    })
}

fn shown_run(job_id: uuid::Uuid, id: i64, run: &Run) -> Value {
    json!({
        "id": id, "job_id": job_id, "success": run.success, "duration_ms": output::number(run.duration_ms),
        "output": run.output, "timestamp": run.ran_at.to_string(),
    })
}

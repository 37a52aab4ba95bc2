//! `DELETE /api/v1/series`: samples of the chosen series in a stretch of time; without one, the series too.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::jobs::Context;
use crate::jobs::erase::{self, EraseError, Erased, SERIES_MAX, Span};
use crate::model::SeriesId;
use crate::query::ExportRequest;
use crate::query::export::flag;
use crate::store::StoreError;
use crate::store::series::{self, SeriesFilter};

/// What was removed, of how many series.
struct Removed {
    series: u64,
    erased: Erased,
}

pub(super) fn erase(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let asked = ExportRequest::parse(query.pairs(), services.clock.now(), &request.principal.reach)?;
        let is_all = flag("all", query.get("all").filter(|text| !text.is_empty()))?;
        if asked.filter.is_unconditional() && !is_all {
            let message = "say which series: server_id, metric_type, metric_name or label., or all=true";
            return Err(ApiError::bad_request("no_matcher", message));
        }
        if asked.from > asked.to {
            return Err(ApiError::bad_request("bad_parameter", "from is after to"));
        }
        let span = Span::new(asked.from, asked.to);
        // A task of its own: a client that goes away does not leave a statement running on a connection of the pool.
        let (answer, answered) = tokio::sync::oneshot::channel();
        let tasks = services.readers.clone();
        drop(tasks.spawn("erase", async move {
            let removed = all(&services, &asked.filter, span).await;
            answer.send(removed).ok();
        }));
        let removed = answered.await.map_err(StoreError::unavailable)??;
        let Erased { rows, buckets_kept } = removed.erased;
        let answer = json!({ "series": removed.series, "rows": rows, "buckets_kept": buckets_kept });
        response::json(StatusCode::OK, &answer)
    })
}

async fn all(services: &Services, filter: &SeriesFilter, span: Span) -> Result<Removed, EraseError> {
    let context = Context { database: services.database.clone(), clock: Arc::clone(&services.clock) };
    let going_on = || !services.readers.is_stopping();
    let (mut removed, mut last) = (Removed { series: 0, erased: Erased::default() }, SeriesId(0));
    loop {
        let found = series::find(&context.database.client().await?, filter, last, SERIES_MAX as u32).await?;
        let Some(newest) = found.last() else { break };
        if last == SeriesId(0) {
            erase::settle_journal(&context, &going_on).await?;
        }
        last = newest.id;
        let ids: Vec<SeriesId> = found.iter().map(|series| series.id).collect();
        let erased = erase::erase_levels(&context, &ids, span, &going_on).await;
        services.query.forget_latest();
        let erased = erased?;
        removed.series += ids.len() as u64;
        removed.erased.rows += erased.rows;
        removed.erased.buckets_kept += erased.buckets_kept;
        if span.is_all() {
            erase::erase_series(&context, &ids).await?;
            services.catalog.forget_series(&ids);
        }
    }
    Ok(removed)
}

impl From<EraseError> for ApiError {
    fn from(error: EraseError) -> Self {
        const LATER: Duration = Duration::from_secs(10);
        let message = error.to_string();
        match error {
            EraseError::NotFolded => Self::unavailable("not_folded", message, LATER),
            EraseError::Busy => Self::unavailable("busy", message, LATER),
            EraseError::Stopping => Self::unavailable("shutting_down", message, LATER),
            EraseError::Job(crate::jobs::JobError::Store(error)) => error.into(),
            EraseError::Job(error) => Self::internal(error),
        }
    }
}

//! `GET /api/v1/latest`: the last value of each series that matches.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;

use super::{Answering, Services};
use crate::http::{Request, response};
use crate::query::request::series_filter;
use crate::query::{Page, rows};

pub(super) fn query(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let filter = series_filter(request.query()?.pairs(), &request.principal.reach)?;
        let started = Instant::now();
        let latest = services.query.latest(&filter).await;
        services.metrics.query.requests.inc();
        services.metrics.query.duration.observe(started.elapsed().as_secs_f64());
        let page = Page { rows: latest?, next: None };
        Ok(response::bytes(StatusCode::OK, "application/json", rows::json(&page).into()))
    })
}

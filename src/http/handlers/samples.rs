//! Samples of a stretch of time for handlers that put answers of their own together.

use std::time::Instant;

use super::Services;
use crate::http::ApiError;
use crate::model::{Micros, Sample};
use crate::query::page::STREAM_ROWS_MAX;
use crate::query::{Format, MetricsRequest};
use crate::store::journal::BlockOrder;
use crate::store::series::SeriesFilter;

/// The newest samples of some series within a stretch, newest first, `samples_max` at most.
pub(super) async fn newest(
    services: &Services,
    filter: SeriesFilter,
    (from, to): (Micros, Micros),
    samples_max: usize,
) -> Result<Vec<Sample>, ApiError> {
    let order = BlockOrder::Newest;
    let mut asked = MetricsRequest { filter, from, to, limit: None, order, cursor: None, format: Format::Json };
    let mut samples = Vec::new();
    loop {
        asked.limit = Some((samples_max - samples.len()).min(STREAM_ROWS_MAX));
        let started = Instant::now();
        let page = services.query.page(&asked).await;
        services.metrics.query.requests.inc();
        services.metrics.query.duration.observe(started.elapsed().as_secs_f64());
        let page = page?;
        samples.extend(page.rows);
        asked.cursor = page.next.filter(|_| samples.len() < samples_max);
        if asked.cursor.is_none() {
            return Ok(samples);
        }
    }
}

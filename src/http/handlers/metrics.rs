//! `GET /api/v1/metrics`: stored samples, one page as JSON or all pages as a stream.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyper::StatusCode;

use super::{Answering, Services, aggregate};
use crate::http::streamed_body::{self, BodyWriter};
use crate::http::{ApiError, Request, Response, response};
use crate::model::Sample;
use crate::query::page::STREAM_ROWS_MAX;
use crate::query::request::LIMIT_MAX;
use crate::query::{AggregateRequest, Format, MetricsRequest, Page, rows};

/// What a streamed answer holds in memory beside a page.
const STREAM_BYTES_MAX: u32 = 256 * 1024;
/// Lines are handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

pub(super) fn query(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let (query, now, reach) = (request.query()?, services.clock.now(), &request.principal.reach);
        if let Some(asked) = AggregateRequest::parse(query.pairs(), now, reach)? {
            return aggregate::answer(&services, &asked).await;
        }
        let asked = MetricsRequest::parse(query.pairs(), now, reach)?;
        match asked.format {
            Format::Json => {
                let page = page(&services, &asked).await?;
                Ok(response::bytes(StatusCode::OK, "application/json", rows::json(&page).into()))
            }
            Format::Ndjson => streamed(services, asked, "application/x-ndjson", rows::ndjson_line, "").await,
            Format::Csv => streamed(services, asked, "text/csv; charset=utf-8", rows::csv_line, rows::CSV_HEAD).await,
        }
    })
}

async fn page(services: &Services, asked: &MetricsRequest) -> Result<Page, ApiError> {
    let started = Instant::now();
    let page = services.query.page(asked).await;
    services.metrics.query.requests.inc();
    services.metrics.query.duration.observe(started.elapsed().as_secs_f64());
    Ok(page?)
}

type Line = fn(&Sample, &mut Vec<u8>);

/// The first page is read before the answer begins, so what is wrong with the question still gets its own status.
async fn streamed(
    services: Arc<Services>,
    mut asked: MetricsRequest,
    content_type: &'static str,
    line: Line,
    head: &'static str,
) -> Result<Response, ApiError> {
    let mut left = asked.limit.unwrap_or(usize::MAX);
    // The first page soon, then larger ones: those of dense data decode what they overlap anew.
    let mut rows_max = LIMIT_MAX;
    asked.limit = Some(left.min(rows_max));
    let mut page = page(&services, &asked).await?;
    let (writer, body) = streamed_body::channel(STREAM_BYTES_MAX);
    let readers = services.readers.clone();
    let pages = async move {
        let mut out = head.as_bytes().to_vec();
        loop {
            if write_rows(&writer, &page.rows, line, &mut out).await.is_err() {
                return;
            }
            left = left.saturating_sub(page.rows.len());
            let Some(next) = page.next.filter(|_| left > 0) else { break };
            rows_max = (2 * rows_max).min(STREAM_ROWS_MAX);
            (asked.cursor, asked.limit) = (Some(next), Some(left.min(rows_max)));
            page = match self::page(&services, &asked).await {
                Ok(next) => next,
                // Dropping the writer breaks the transfer off: a part never looks like the whole.
                Err(error) => return tracing::warn!(%error, "export broken off"),
            };
        }
        if writer.write(Bytes::from(out)).await.is_ok() {
            writer.finish().await.ok();
        }
    };
    drop(readers.spawn("export", pages));
    Ok(response::streamed(StatusCode::OK, content_type, body))
}

async fn write_rows(
    writer: &BodyWriter,
    rows: &[Sample],
    line: Line,
    out: &mut Vec<u8>,
) -> Result<(), streamed_body::ClientGone> {
    for row in rows {
        line(row, out);
        if out.len() >= PIECE_BYTES {
            writer.write(Bytes::from(std::mem::take(out))).await?;
        }
    }
    Ok(())
}

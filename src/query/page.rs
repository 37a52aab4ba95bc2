//! One page of rows, in order.
//!
//! Journal, then recent and samples: data only move down, so this order misses nothing, without a snapshot; what moves
//! meanwhile is met twice and counts once. Each level is read from where the page begins until nothing further can be
//! on it. So a page costs the blocks and rows that overlap it, not the range.

use std::sync::Arc;

use super::best::{Best, Chosen, Wanted};
use super::cursor::Cursor;
use super::request::{LIMIT_MAX, MetricsRequest};
use super::selection::Selection;
use super::stored::{self, Reading, Scope};
use super::{Engine, QueryError, unfolded};
use crate::model::Sample;

/// The most one page of a stream may hold: some 10 MiB while it is read. Pages of dense data decode what they overlap
/// anew, so larger ones are cheaper.
pub const STREAM_ROWS_MAX: usize = 10 * LIMIT_MAX;

#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Sample>,
    /// Where the next page begins, when there may be one.
    pub next: Option<Cursor>,
}

/// Whether somebody still waits for the page.
pub(super) type Waiting<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// Reads the page that `request` asks for, at most [`STREAM_ROWS_MAX`] rows.
pub(super) async fn read(engine: &Engine, request: &MetricsRequest, waiting: Waiting<'_>) -> Result<Page, QueryError> {
    let mut selection = Selection::of(engine, &request.filter).await?;
    let limit = request.limit.map_or(LIMIT_MAX, |limit| limit.min(STREAM_ROWS_MAX));
    let MetricsRequest { order, from, to, cursor, .. } = *request;
    // One more tells whether there is a next page.
    let mut best = Best::new(Wanted { order, from, to, cursor, rows_max: limit + 1 });
    if !selection.is_empty() && from <= to {
        unfolded::read(engine, &mut selection, &mut best, waiting).await?;
        stored::read(&Reading { engine, waiting, scope: Scope::ALL }, &mut selection, &mut best).await?;
    }
    let chosen = best.into_rows();
    let more = chosen.len() > limit;
    let rows = named(&chosen[..chosen.len().min(limit)], &selection);
    let next = rows.last().filter(|_| more).map(|row| Cursor { time: row.time, series: row.series.id });
    Ok(Page { rows, next })
}

/// Rows with their names; all of them were selected.
pub(super) fn named(chosen: &[Chosen], selection: &Selection) -> Vec<Sample> {
    let sample = |row: &Chosen| {
        let series = Arc::clone(selection.get(row.series)?);
        Some(Sample { series, time: row.time, value: row.value })
    };
    chosen.iter().filter_map(sample).collect()
}

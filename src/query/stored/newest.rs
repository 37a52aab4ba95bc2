//! Parts of many series, those that reach latest first: a page of newest rows is full after a few of them.
//!
//! Parts of all series are read page by page, until none that is left reaches what the page of rows still lacks. Where
//! the wanted series turn out to be rare among the others, it goes on with theirs alone: so it never costs much more than
//! looking them up.

use std::pin::pin;

use futures_util::StreamExt;

use super::{Reading, Rows};
use crate::model::SeriesId;
use crate::query::QueryError;
use crate::query::best::{Best, Version};
use crate::query::selection::Selection;
use crate::store::levels::windows::{self, PagedPart, PartPosition, Useful, Window};

/// Parts read at once: a few are often enough.
const PARTS_FIRST: u32 = 256;
const PARTS_MAX: u32 = 8_192;

/// Offers the parts of a window that can be among the best.
pub(super) async fn read(
    reading: &Reading<'_>,
    window: &Window<'_>,
    selection: &mut Selection,
    best: &mut Best,
) -> Result<(), QueryError> {
    // As many as would be looked up.
    let foreign_max = window.series.map_or(usize::MAX, <[SeriesId]>::len);
    let (mut after, mut wanted, mut foreign) = (PartPosition::reaching(window.to), PARTS_FIRST, 0);
    while foreign <= foreign_max {
        if !(reading.waiting)() {
            return Err(QueryError::Abandoned);
        }
        best.settle();
        let reach_min = best.range().0.max(window.from);
        let series_min = best.edge().filter(|(time, _)| *time == reach_min).map_or(SeriesId(0), |(_, series)| series);
        let useful = Useful { reach_min, series_min, start_max: window.start_max };
        let client = reading.engine.database.client().await?;
        let parts = windows::newest_parts(&client, useful, reading.scope.folds, after, wanted).await?;
        // Decoding takes the processor, not PostgreSQL: someone else may have the connection meanwhile.
        drop(client);
        foreign += offer(reading, &parts, selection, best).await?;
        match parts.last() {
            Some(last) if parts.len() == wanted as usize => after = last.position,
            _ => return Ok(()),
        }
        wanted = (wanted * 2).min(PARTS_MAX);
    }
    best.settle();
    rest(reading, &Window { to: after.reach(), reach_min: best.range().0, ..*window }, selection, best).await
}

/// Offers a page of parts, and answers how many of them are of series that are not wanted.
async fn offer(
    reading: &Reading<'_>,
    parts: &[PagedPart],
    selection: &mut Selection,
    best: &mut Best,
) -> Result<usize, QueryError> {
    let mut rows = Rows::new(reading.engine, selection, best);
    for part in parts {
        rows.offer(Version::Recent { fold: part.fold }, &part.stored)?;
        tokio::task::consume_budget().await;
    }
    let unmet = rows.into_unmet();
    if !unmet.is_empty() {
        selection.meet(reading.engine, &unmet).await?;
        let mut rows = Rows::new(reading.engine, selection, best);
        for part in parts.iter().filter(|part| unmet.contains(&part.stored.series)) {
            rows.offer(Version::Recent { fold: part.fold }, &part.stored)?;
        }
    }
    Ok(parts.iter().filter(|part| selection.get(part.stored.series).is_none()).count())
}

/// Offers the parts of the wanted series alone that reach no later than the window does.
async fn rest(
    reading: &Reading<'_>,
    window: &Window<'_>,
    selection: &mut Selection,
    best: &mut Best,
) -> Result<(), QueryError> {
    let client = reading.engine.database.client().await?;
    let mut rows = Rows::new(reading.engine, selection, best);
    let mut parts = pin!(windows::recent(&client, window, reading.scope.folds).await?);
    while let Some(part) = parts.next().await {
        let (fold, stored) = part?;
        if (reading.waiting)() {
            rows.offer(Version::Recent { fold }, &stored)?;
        }
        tokio::task::consume_budget().await;
    }
    if (reading.waiting)() { Ok(()) } else { Err(QueryError::Abandoned) }
}

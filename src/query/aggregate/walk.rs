//! The stored past of some series, in order of time, for those who judge it: samples, and where those have expired the
//! finest buckets that are left.
//!
//! Where only hours are left of a stretch of time, the series read with it are begun anew with those hours: nobody is
//! given what is coarser after what is finer. Memory is a portion of samples, and what those who judge keep.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::mixed::Piece;
use super::plan::{Gone, Plan, Span, Tier};
use super::reader::Reader;
use super::{SERIES_PORTION, TRIES_MAX};
use crate::model::{Bucket, Micros, Series, SeriesId};
use crate::query::page::Waiting;
use crate::query::{Engine, QueryError};
use crate::store::StoreError;
use crate::store::levels::progress;
use crate::store::series::{self, SeriesFilter};

/// Series looked at in one statement while those that are wanted are looked for.
const SERIES_PAGE: u32 = 10_000;

#[derive(Clone, Debug)]
pub struct WalkRequest {
    pub filter: SeriesFilter,
    /// `[from, to)`.
    pub from: Micros,
    pub to: Micros,
    /// More series than this are refused.
    pub series_max: u32,
}

/// Something of one series, later than what came before.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    Samples(&'a [Micros], &'a [f64]),
    Buckets(&'a [Bucket]),
}

/// Whoever judges.
pub trait Walker: Send + Sync + 'static {
    /// What is kept of one series.
    type Kept: Send + 'static;

    fn is_wanted(&self, series: &Series) -> bool;
    fn begin(&self, series: &Series) -> Self::Kept;
    fn take(&self, kept: &mut Self::Kept, stored: Stored<'_>);
}

/// What was kept of each series, by number, and what it was made of.
#[derive(Debug)]
pub struct Walked<T> {
    pub series: Vec<(Series, T)>,
    pub spans: Vec<Span>,
}

impl Engine {
    /// Walks through what is stored, in a task of its own and with the bounds of windows.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn walk<W: Walker>(
        self: &Arc<Self>,
        request: WalkRequest,
        walker: Arc<W>,
    ) -> Result<Walked<W::Kept>, QueryError> {
        let timeout = self.config.timeout;
        let walking = async {
            // In this order, as with windows.
            let place = Arc::clone(&self.aggregating).acquire_owned().await.map_err(StoreError::unavailable)?;
            let turn = self.turn().await?;
            let (answer, answered) = oneshot::channel();
            let engine = Arc::clone(self);
            drop(self.tasks.spawn("walk", async move {
                let walked = walk(&engine, &request, walker.as_ref(), &|| !answer.is_closed()).await;
                drop((turn, place));
                answer.send(walked).ok();
            }));
            answered.await.map_err(StoreError::unavailable)?
        };
        tokio::time::timeout(timeout, walking).await.map_err(|_| QueryError::TimedOut { timeout })?
    }
}

async fn walk<W: Walker>(
    engine: &Engine,
    request: &WalkRequest,
    walker: &W,
    waiting: Waiting<'_>,
) -> Result<Walked<W::Kept>, QueryError> {
    let series = wanted(engine, request, walker, waiting).await?;
    let kept_from = series.iter().map(|series| (engine.kept_from)(&series.identity)).max();
    for _ in 0..TRIES_MAX {
        let before = progress::read(&engine.database.client().await?).await?.days_to;
        let (kept, gone) = judged(engine, request, (walker, &series), (before, waiting)).await?;
        let after = progress::read(&engine.database.client().await?).await?;
        if after.days_to == before {
            let kept_from = kept_from.max(Some(after.gone_to));
            let spans = plan(Tier::Hour, request.from, request.to).spans(Gone { kept_from, ..gone });
            return Ok(Walked { series: series.into_iter().zip(kept).collect(), spans });
        }
    }
    Err(QueryError::Moving)
}

/// The series that are wanted, by number.
async fn wanted<W: Walker>(
    engine: &Engine,
    request: &WalkRequest,
    walker: &W,
    waiting: Waiting<'_>,
) -> Result<Vec<Series>, QueryError> {
    let (mut wanted, mut after, series_max) = (Vec::new(), SeriesId(0), request.series_max);
    loop {
        let found = series::find(&engine.database.client().await?, &request.filter, after, SERIES_PAGE).await?;
        let next = found.last().filter(|_| found.len() == SERIES_PAGE as usize).map(|last| last.id);
        wanted.extend(found.into_iter().filter(|series| walker.is_wanted(series)));
        if wanted.len() > series_max as usize {
            return Err(QueryError::TooManySeries { series_max });
        }
        match next {
            _ if !waiting() => return Err(QueryError::Abandoned),
            Some(last) => after = last,
            None => return Ok(wanted),
        }
    }
}

async fn judged<W: Walker>(
    engine: &Engine,
    request: &WalkRequest,
    (walker, series): (&W, &[Series]),
    (days_to, waiting): (Micros, Waiting<'_>),
) -> Result<(Vec<W::Kept>, Gone), QueryError> {
    let &WalkRequest { from, to, .. } = request;
    let (minutes, mut kept) = (plan(Tier::Minute, from, to), Vec::with_capacity(series.len()));
    let mut reader = Reader::new(engine, &minutes, days_to, waiting);
    for portion in series.chunks(SERIES_PORTION) {
        let mut of_portion = begun(walker, portion);
        pass(&mut reader, walker, portion, &mut of_portion).await?;
        if let Some(edge) = reader.gone().minutes_to.filter(|edge| *edge > from) {
            of_portion = begun(walker, portion);
            for plan in [plan(Tier::Hour, from, edge.min(to)), plan(Tier::Minute, edge.min(to), to)] {
                let mut reader = Reader::new(engine, &plan, days_to, waiting);
                pass(&mut reader, walker, portion, &mut of_portion).await?;
            }
        }
        kept.append(&mut of_portion);
    }
    Ok((kept, reader.gone()))
}

fn begun<W: Walker>(walker: &W, series: &[Series]) -> Vec<W::Kept> {
    series.iter().map(|series| walker.begin(series)).collect()
}

async fn pass<W: Walker>(
    reader: &mut Reader<'_>,
    walker: &W,
    series: &[Series],
    kept: &mut [W::Kept],
) -> Result<(), QueryError> {
    let ids: Vec<SeriesId> = series.iter().map(|series| series.id).collect();
    let mut take = |id: SeriesId, piece: Piece| {
        if let Ok(place) = ids.binary_search(&id) {
            match &piece {
                Piece::Samples(times, values) => walker.take(&mut kept[place], Stored::Samples(times, values)),
                Piece::Buckets(buckets) => walker.take(&mut kept[place], Stored::Buckets(buckets)),
            }
        }
        Ok(())
    };
    reader.read(&ids, &mut take).await
}

/// Samples, and buckets of up to `grain` where those have expired.
fn plan(grain: Tier, from: Micros, to: Micros) -> Plan {
    Plan { tier: Tier::Raw, grain, needs_samples: false, from, to, read_from: from, read_to: to }
}

//! Samples put together: windows of series or of groups of them, or samples thinned out for a drawing.
//!
//! ```text
//! request ─▶ plan ─▶ reader ─▶ mixed ─▶ windows ─▶ groups ─▶ output
//!                                  └──▶ thin ─────────────────┘
//! ```
//!
//! Invariants:
//! - a point is the same whichever tier it was read from, as `rollup` alone says what a bucket is; sums and averages may
//!   differ in their last digits, which depend on the order of adding;
//! - where finer data are gone than the question needs, it is refused or the answer says so: never a wrong point;
//! - memory is a portion of samples of a few series, and the points of the answer.

mod groups; // windows of series to those of groups
mod mixed; // samples and what is left of expired ones
pub mod output; // answers as JSON, NDJSON and CSV
mod plan; // where windows are read from
mod reader; // some series over a range, piece by piece
pub mod request; // what was asked, checked
mod thin; // samples for a drawing
mod walk; // the past of some series, for those who judge it
mod windows; // one series to windows

pub use groups::{Group, Points};
pub use plan::{Span, Tier};
pub use request::{AggregateRequest, AggregateRequestError, Fill, Function, GroupKey, Shape, Windows};
pub use walk::{Stored, WalkRequest, Walked, Walker};

use std::sync::Arc;

use tokio::sync::oneshot;

use super::page::Waiting;
use super::{Engine, QueryError};
use crate::model::{Series, SeriesId};
use crate::store::StoreError;
use crate::store::levels::progress;
use crate::store::series;
use groups::Groups;
use mixed::Piece;
use plan::{Gone, Plan};
use reader::Reader;
use thin::Thinner;
use windows::{Window, Windower};

/// Questions of this kind at one time. Each keeps a processor busy for as long as it takes, and ingest needs them too.
pub(super) const AGGREGATING_MAX: usize = 2;
/// Series read together.
const SERIES_PORTION: usize = 64;
/// How often a question is read anew when a day was closed in the midst of it.
const TRIES_MAX: usize = 3;

/// What was found, with what it was made of.
#[derive(Debug)]
pub struct Answer {
    pub groups: Vec<(Group, Points)>,
    /// The names of the values of a point.
    pub columns: Vec<String>,
    /// `None` when the points are samples.
    pub step_micros: Option<i64>,
    pub spans: Vec<Span>,
}

impl Engine {
    /// Reads what was asked for, in a task of its own as [`Engine::page`] does.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn aggregate(self: &Arc<Self>, request: &AggregateRequest) -> Result<Answer, QueryError> {
        let timeout = self.config.timeout;
        let reading = async {
            // In this order: who waits for one of few places must not keep pages from their turns meanwhile.
            let place = Arc::clone(&self.aggregating).acquire_owned().await.map_err(StoreError::unavailable)?;
            let turn = self.turn().await?;
            let (answer, answered) = oneshot::channel();
            let (engine, request) = (Arc::clone(self), request.clone());
            drop(self.tasks.spawn("aggregate", async move {
                let read = read(&engine, &request, &|| !answer.is_closed()).await;
                drop((turn, place));
                answer.send(read).ok();
            }));
            answered.await.map_err(StoreError::unavailable)?
        };
        tokio::time::timeout(timeout, reading).await.map_err(|_| QueryError::TimedOut { timeout })?
    }
}

async fn read(engine: &Engine, request: &AggregateRequest, waiting: Waiting<'_>) -> Result<Answer, QueryError> {
    let plan = plan::plan(request);
    let points_max = engine.config.points_max;
    let series = matching(engine, request).await?;
    let kept_from = series.iter().map(|series| (engine.kept_from)(&series.identity)).max();
    let progress = async || -> Result<_, QueryError> { Ok(progress::read(&engine.database.client().await?).await?) };
    for _ in 0..TRIES_MAX {
        let before = progress().await?.days_to;
        let mut reader = Reader::new(engine, &plan, before, waiting);
        let groups = match &request.shape {
            Shape::Windows(windows) => read_windows(&mut reader, &plan, windows, &series, points_max).await?,
            Shape::Thinned { points_max: kept_max } => {
                read_thinned(&mut reader, &plan, *kept_max, &series, points_max).await?
            }
        };
        // Samples of a day that was closed meanwhile may have expired before they were read.
        let after = progress().await?;
        if after.days_to == before {
            let kept_from = kept_from.max(Some(after.gone_to));
            return Ok(answer(request, groups, plan.spans(Gone { kept_from, ..reader.gone() })));
        }
    }
    Err(QueryError::Moving)
}

fn answer(request: &AggregateRequest, mut groups: Vec<(Group, Points)>, spans: Vec<Span>) -> Answer {
    groups.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    let (columns, step_micros) = match &request.shape {
        Shape::Windows(windows) => {
            (windows.functions.iter().map(ToString::to_string).collect(), Some(windows.step_micros))
        }
        Shape::Thinned { .. } => (vec!["value".to_owned()], None),
    };
    Answer { groups, columns, step_micros, spans }
}

/// The series that were asked for, by number.
async fn matching(engine: &Engine, request: &AggregateRequest) -> Result<Vec<Series>, QueryError> {
    let series_max = engine.config.series_max;
    let client = engine.database.client().await?;
    let found = series::find(&client, &request.filter, SeriesId(0), series_max.saturating_add(1)).await?;
    if found.len() > series_max as usize { Err(QueryError::TooManySeries { series_max }) } else { Ok(found) }
}

async fn read_windows(
    reader: &mut Reader<'_>,
    plan: &Plan,
    windows: &Windows,
    series: &[Series],
    points_max: usize,
) -> Result<Vec<(Group, Points)>, QueryError> {
    let (mut groups, group_of) = Groups::new(windows, series, (plan.from, plan.to), points_max)?;
    for (portion, places) in series.chunks(SERIES_PORTION).zip(group_of.chunks(SERIES_PORTION)) {
        let ids: Vec<SeriesId> = portion.iter().map(|series| series.id).collect();
        let new = || Windower::new(windows.step_micros, windows.has_percentiles());
        let mut windowers: Vec<Windower> = ids.iter().map(|_| new()).collect();
        let mut held = 0;
        let mut take = |series: SeriesId, piece: Piece| {
            let Ok(index) = ids.binary_search(&series) else { return Ok(()) };
            held -= windowers[index].held();
            let mut added = Ok(());
            let mut over = |window: Window| {
                if added.is_ok() && window.bucket.start >= plan.from {
                    added = groups.add(places[index], window);
                }
            };
            match piece {
                Piece::Samples(times, values) => windowers[index].add_samples(&times, &values, &mut over),
                Piece::Buckets(buckets) => windowers[index].add_buckets(&buckets, &mut over),
            }
            held += windowers[index].held();
            added.and_then(|()| groups.check_held(held))
        };
        reader.read(&ids, &mut take).await?;
        for (windower, place) in windowers.into_iter().zip(places) {
            let mut added = Ok(());
            windower.finish(&mut |window| {
                if window.bucket.start >= plan.from {
                    added = groups.add(*place, window);
                }
            });
            added?;
        }
    }
    Ok(groups.finish())
}

async fn read_thinned(
    reader: &mut Reader<'_>,
    plan: &Plan,
    kept_max: usize,
    series: &[Series],
    points_max: usize,
) -> Result<Vec<(Group, Points)>, QueryError> {
    let (mut groups, mut points) = (Vec::new(), 0);
    for portion in series.chunks(SERIES_PORTION) {
        let ids: Vec<SeriesId> = portion.iter().map(|series| series.id).collect();
        let mut thinners: Vec<Thinner> = ids.iter().map(|_| Thinner::new(plan.from, plan.to, kept_max)).collect();
        let mut take = |series: SeriesId, piece: Piece| {
            let (Ok(index), Piece::Samples(times, values)) = (ids.binary_search(&series), piece) else { return Ok(()) };
            points -= thinners[index].len();
            thinners[index].add(&times, &values);
            points += thinners[index].len();
            if points > points_max { Err(QueryError::TooManyPoints { points_max }) } else { Ok(()) }
        };
        reader.read(&ids, &mut take).await?;
        for (series, thinner) in portion.iter().zip(thinners).filter(|(_, thinner)| thinner.len() > 0) {
            let (times, values) = thinner.finish().into_iter().unzip();
            groups.push((Group::of(series, None), Points { times, values }));
        }
    }
    Ok(groups)
}

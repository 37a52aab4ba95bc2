//! Everything that is stored of the series a filter chooses, in order of (series, time), however much it is.
//!
//! Read in portions: many small series together, one large series in stretches of time. Their size is estimated, from
//! what the rows say they hold; memory is a few portions of `PORTION_SAMPLES`, or one hour of one series where that is
//! more. Nothing is skipped and nothing comes twice, whatever is moved or committed meanwhile; what is committed after
//! the export began may be part of it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::request::{self, RequestError, series_filter, shortened};
use super::{Engine, QueryError, levels};
use crate::model::{Micros, Reach, Series, SeriesId};
use crate::store::levels::samples::WINDOW_MICROS;
use crate::store::series::{self, SeriesFilter};
use crate::store::{Client, StoreError, sizes};
use crate::wire::lines::LineFormat;

/// Samples of a portion, about.
const PORTION_SAMPLES: f64 = 200_000.0;
/// Series looked up at once, and the most in a portion.
const SERIES_MAX: u32 = 512;
/// Rows and blocks looked at to find where a portion of one series ends.
const STEPS_MAX: i64 = 4_096;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    pub filter: SeriesFilter,
    /// Both ends included.
    pub from: Micros,
    pub to: Micros,
    pub format: LineFormat,
    /// Whether every line names its host too.
    pub with_hostname: bool,
}

/// The samples of one series in one stretch of time. A series may come in several, one after the other.
#[derive(Debug)]
pub struct ExportedSeries {
    pub series: Arc<Series>,
    pub times: Vec<Micros>,
    pub values: Vec<f64>,
}

/// An export that is under way.
#[derive(Debug)]
pub struct Export {
    engine: Arc<Engine>,
    request: ExportRequest,
    /// The last series looked up.
    last: SeriesId,
    /// Looked up and not read yet, or not to its end.
    waiting: VecDeque<Arc<Series>>,
    /// Where the first of those that wait goes on.
    from: Micros,
}

impl ExportRequest {
    /// Reads decoded query pairs: those of a metrics query, and `hostname=true`.
    ///
    /// # Errors
    /// The first parameter that cannot be understood.
    pub fn parse<'a>(
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        now: Micros,
        reach: &Reach,
    ) -> Result<Self, RequestError> {
        let get = |name: &str| pairs.clone().find(|(key, value)| *key == name && !value.is_empty()).map(|pair| pair.1);
        Ok(Self {
            filter: series_filter(pairs.clone(), reach)?,
            from: get("from").map_or(Ok(Micros(i64::MIN)), |text| request::time("from", text, now))?,
            to: get("to").map_or(Ok(Micros(i64::MAX)), |text| request::time("to", text, now))?,
            format: line_format(get("format"))?,
            with_hostname: flag("hostname", get("hostname"))?,
        })
    }
}

/// The format a parameter names; NDJSON without one.
///
/// # Errors
/// When it names none that has lines.
pub fn line_format(text: Option<&str>) -> Result<LineFormat, RequestError> {
    match text {
        None | Some("ndjson") => Ok(LineFormat::Ndjson),
        Some("csv") => Ok(LineFormat::Csv),
        Some(other) => Err(RequestError::LineFormat(shortened(other))),
    }
}

/// What a parameter that is true or false says; false without one.
///
/// # Errors
/// When it says something else.
pub fn flag(name: &'static str, text: Option<&str>) -> Result<bool, RequestError> {
    match text {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(RequestError::Flag { name, text: shortened(other) }),
    }
}

impl Export {
    /// Reads nothing yet.
    pub fn new(engine: Arc<Engine>, request: ExportRequest) -> Self {
        let from = request.from;
        Self { engine, request, last: SeriesId(0), waiting: VecDeque::new(), from }
    }

    /// The next portion, in order; `None` at the end. Series without samples are left out, so a portion may be empty.
    ///
    /// Reading is a task of its own, as with a page: when nobody waits for it any more it ends after the statement it is
    /// at.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn next(&mut self) -> Result<Option<Vec<ExportedSeries>>, QueryError> {
        let engine = Arc::clone(&self.engine);
        let timeout = engine.config.timeout;
        let state = State {
            request: self.request.clone(),
            last: self.last,
            waiting: std::mem::take(&mut self.waiting),
            from: self.from,
        };
        let reading = async {
            let turn = engine.turn().await?;
            let (answer, answered) = oneshot::channel();
            let (reader, mut state) = (Arc::clone(&engine), state);
            drop(engine.tasks.spawn("export portion", async move {
                let portion = state.portion(&reader, &|| !answer.is_closed()).await;
                drop(turn);
                answer.send(portion.map(|portion| (portion, state))).ok();
            }));
            answered.await.map_err(StoreError::unavailable)?
        };
        let read = tokio::time::timeout(timeout, reading).await.map_err(|_| QueryError::TimedOut { timeout })?;
        let (portion, state) = read?;
        (self.last, self.waiting, self.from) = (state.last, state.waiting, state.from);
        Ok(portion)
    }
}

/// What a portion is read with; see [`Export`].
struct State {
    request: ExportRequest,
    last: SeriesId,
    waiting: VecDeque<Arc<Series>>,
    from: Micros,
}

impl State {
    async fn portion(
        &mut self,
        engine: &Engine,
        is_waiting: super::page::Waiting<'_>,
    ) -> Result<Option<Vec<ExportedSeries>>, QueryError> {
        let client = engine.database.client().await?;
        if self.waiting.is_empty() {
            let found = series::find(&client, &self.request.filter, self.last, SERIES_MAX).await?;
            let Some(last) = found.last() else { return Ok(None) };
            self.last = last.id;
            self.waiting = found.into_iter().map(Arc::new).collect();
        }
        let (mut count, mut until) = self.extent(&client).await?;
        drop(client);
        let read = loop {
            let ids: Vec<SeriesId> = self.waiting.iter().take(count).map(|series| series.id).collect();
            match levels::read(engine, &ids, self.from, until, is_waiting).await {
                // Most of what the journal holds is of few of its series, or of little of its time.
                Err(QueryError::TooManySamples { .. }) if count > 1 => count /= 2,
                Err(QueryError::TooManySamples { .. }) if self.middle(until) < until => until = self.middle(until),
                read => break read?,
            }
        };
        let mut read = read.into_iter().peekable();
        let mut portion = Vec::new();
        for series in self.waiting.iter().take(count) {
            if let Some(samples) = read.next_if(|samples| samples.series == series.id) {
                let series = Arc::clone(series);
                portion.push(ExportedSeries { series, times: samples.times, values: samples.values });
            }
        }
        if until < self.request.to {
            self.from = Micros(until.0 + 1);
        } else {
            self.from = self.request.from;
            self.waiting.drain(..count);
        }
        Ok(Some(portion))
    }

    /// Half way from where the portion begins, among times that can be.
    fn middle(&self, until: Micros) -> Micros {
        let (from, until) = (self.from.max(Micros::FIRST), until.min(Micros::LAST));
        Micros(from.0 + until.0.saturating_sub(from.0) / 2)
    }

    /// How many of the waiting series the next portion takes, and up to which time.
    async fn extent(&self, client: &Client) -> Result<(usize, Micros), StoreError> {
        let to = self.request.to;
        let Some(first) = self.waiting.front() else { return Ok((0, to)) };
        if self.from == self.request.from {
            let ids: Vec<SeriesId> = self.waiting.iter().map(|series| series.id).collect();
            let mut room = PORTION_SAMPLES;
            let weights = sizes::weights(client, &ids, self.from, to).await?;
            let fits = |weight: &&f64| {
                room -= **weight;
                room >= 0.0
            };
            let count = weights.iter().take_while(fits).count();
            if count > 0 {
                return Ok((count, to));
            }
        }
        let mut room = PORTION_SAMPLES;
        let steps = sizes::steps(client, first.id, self.from, to, STEPS_MAX).await?;
        let is_all = steps.len() < STEPS_MAX as usize;
        let beyond = steps.iter().find(|(_, samples)| {
            room -= samples;
            room < 0.0
        });
        let end = match (beyond, steps.last()) {
            (Some((start, _)), _) => *start,
            (None, Some((last, _))) if !is_all => *last,
            _ => return Ok((1, to)),
        };
        // Rows are of an hour, so a portion ends where one does; and it must have some length.
        let hour = |time: Micros| Micros(time.0.saturating_sub(time.0.rem_euclid(WINDOW_MICROS)));
        let start = self.from.max(steps.first().map_or(self.from, |(first, _)| *first));
        let end = hour(end).max(Micros(hour(start).0.saturating_add(WINDOW_MICROS)));
        Ok((1, to.min(Micros(end.0.saturating_sub(1)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_of_a_query_and_their_own() {
        let parse = |pairs: &[(&str, &str)]| {
            ExportRequest::parse(pairs.iter().copied(), Micros(0), &Reach::everything())
                .map_err(|error| error.to_string())
        };
        let request = parse(&[("metric_type", "cpu"), ("format", "csv"), ("hostname", "true")]).unwrap();
        assert_eq!((request.format, request.with_hostname), (LineFormat::Csv, true));
        assert_eq!(parse(&[("format", "json")]).unwrap_err(), "format \"json\" is neither ndjson nor csv");
        assert_eq!(parse(&[("hostname", "x")]).unwrap_err(), "hostname \"x\" is neither true nor false");
    }
}

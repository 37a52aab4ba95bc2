//! What was before: states as they are stored, what windows look back on, and what was committed while nobody judged.

use std::sync::Arc;
use std::time::Instant;

use super::{Ended, Leader};
use crate::alert::catch_up::{CatchUp, Taker};
use crate::alert::judge::{Change, Judge, Reading};
use crate::alert::stats::Stats;
use crate::alert::wanted::{Wanted, looks_back};
use crate::model::alert::RuleId;
use crate::model::{Micros, Sample, Series, SeriesId};

/// What comes this late is still judged by who takes over.
const LATE_MICROS: i64 = 5 * 60 * Micros::PER_SECOND;
/// What is stored is read back this far, however long nobody judged.
const PAST_MAX_MICROS: i64 = 24 * 3600 * Micros::PER_SECOND;

impl Leader<'_> {
    /// Takes in how rules stand with series.
    pub(super) async fn restore(&mut self) -> Result<(), Ended> {
        let mut after = (RuleId(0), SeriesId(0));
        loop {
            let states = self.seat.states(after).await?;
            let Some(last) = states.last() else { return Ok(()) };
            after = (last.rule, last.series.unwrap_or_default());
            let mut series: Vec<SeriesId> = states.iter().filter_map(|state| state.series).collect();
            series.sort_unstable();
            series.dedup();
            self.of.past.know(&series).await?;
            self.on_judge(move |judge| judge.restore(states)).await?;
        }
    }

    /// Reads what windows and silences look back on, without judging it.
    pub(super) async fn look_back(&mut self) -> Result<(), Ended> {
        let directory = Arc::clone(&self.of.directory);
        let (span, wanted) = self
            .on_judge(move |judge| {
                let span = judge.rules().map(|rule| looks_back(rule)).max().unwrap_or_default();
                let filters = judge.rules().filter(|rule| !looks_back(rule).is_zero()).map(|rule| &rule.filter);
                (span, Wanted::new(filters, &directory))
            })
            .await?;
        if span.is_zero() {
            return Ok(());
        }
        let judged_from = self.judged_from();
        let span = i64::try_from(span.as_micros()).unwrap_or(PAST_MAX_MICROS).min(PAST_MAX_MICROS);
        let since = Micros(judged_from.0.saturating_sub(span));
        let of = self.of;
        let wanted = Arc::new(move |series: &Series| wanted.wants(series));
        let catch_up = CatchUp { past: of.past.as_ref(), intake: &of.alerts.intake, since, wanted };
        let mut remembering = Remembering { leader: self, judged_from, ended: None };
        let done = catch_up.read_once(&mut remembering).await;
        remembering.ended.map_or(Ok(()), Err)?;
        Stats::add(&of.alerts.stats.caught_up_samples, done?.samples);
        Ok(())
    }

    /// Judges what is stored since it was last judged, and hears of commits from then on.
    pub(super) async fn catch_up(&mut self) -> Result<(), Ended> {
        let (since, begun) = (self.judged_from(), Instant::now());
        let directory = Arc::clone(&self.of.directory);
        let filters = move |judge: &mut Judge| Wanted::new(judge.rules().map(|rule| &rule.filter), &directory);
        let wanted = self.on_judge(filters).await?;
        let (of, wanted) = (self.of, Arc::new(move |series: &Series| wanted.wants(series)));
        let catch_up = CatchUp { past: of.past.as_ref(), intake: &of.alerts.intake, since, wanted };
        let mut judging = Judging { leader: self, ended: None };
        let done = catch_up.run(&mut judging).await;
        judging.ended.map_or(Ok(()), Err)?;
        let done = done?;
        if done.is_cut {
            Stats::add(&of.alerts.stats.catch_ups_cut, 1);
            tracing::error!(samples = done.samples, %since, "more was stored than is judged; the rest is passed over");
        }
        Stats::add(&of.alerts.stats.catch_ups, 1);
        Stats::add(&of.alerts.stats.caught_up_samples, done.samples);
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(samples = done.samples, %since, elapsed_ms, "rules are judged up to now");
        Ok(())
    }

    /// From when on samples are judged that were stored meanwhile.
    fn judged_from(&self) -> Micros {
        let earliest = Micros(self.of.clock.now().0.saturating_sub(PAST_MAX_MICROS));
        if self.judged_at < earliest {
            tracing::warn!(judged_at = %self.judged_at, "what was stored longer than a day ago is not judged any more");
        }
        Micros(self.judged_at.0.saturating_sub(LATE_MICROS)).max(earliest)
    }
}

/// Judges what is read.
struct Judging<'a, 'b> {
    leader: &'a mut Leader<'b>,
    ended: Option<Ended>,
}

impl Taker for Judging<'_, '_> {
    async fn take(&mut self, samples: Vec<Sample>) -> bool {
        let judged = async {
            let now = self.leader.of.clock.now();
            let found = self.leader.on_judge(move |judge| judge_all(judge, &samples, now)).await?;
            self.leader.write(found, None).await
        };
        self.ended = judged.await.err();
        self.ended.is_none()
    }
}

/// When they came is not known: nearly at once, in all likelihood, and not later than now.
fn judge_all(judge: &mut Judge, samples: &[Sample], now: Micros) -> Vec<Change> {
    let mut found = Vec::new();
    for Sample { series, time, value } in samples {
        let reading = Reading { time: *time, value: *value, received: (*time).min(now) };
        judge.judge_stored(series.id, reading, &mut found);
    }
    found
}

/// Has it remembered what is read, as far as it is not judged.
struct Remembering<'a, 'b> {
    leader: &'a mut Leader<'b>,
    judged_from: Micros,
    ended: Option<Ended>,
}

impl Taker for Remembering<'_, '_> {
    async fn take(&mut self, samples: Vec<Sample>) -> bool {
        let judged_from = self.judged_from;
        let remembered = self.leader.on_judge(move |judge| {
            for Sample { series, time, value } in samples.iter().filter(|sample| sample.time < judged_from) {
                judge.remember(series.id, *time, *value);
                judge.heard(series.id, *time);
            }
        });
        self.ended = remembered.await.err();
        self.ended.is_none()
    }
}

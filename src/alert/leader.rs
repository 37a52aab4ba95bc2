//! What the one node that judges does: it knows rules, states and who is told, judges what comes, and writes what it finds.
//!
//! All of it is lost with the connection that has the lock, and built anew from the store by whoever has it next. Work on
//! the judge itself is done beside the async workers, since a large flush takes longer than a task may hold one.

mod begin; // what was before
mod write; // what was found

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::catch_up::PastError;
use super::judge::Judge;
use super::rule::Rule;
use super::stats::Stats;
use super::tell::Audience;
use super::watched;
use super::worker::Worker;
use crate::model::Micros;
use crate::model::alert::RuleId;
use crate::store::StoreError;
use crate::store::alerts::{Finding, RULES_MAX, Seat};

/// Samples judged together, and at least one flush.
const TURN_SAMPLES_MAX: usize = 131_072;
/// How long new rules are matched before flushes are judged again.
const PUT_TURN: Duration = Duration::from_millis(20);
/// Rules read in one statement.
const RULES_PAGE: usize = 5_000;

/// Why a node does not judge any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the place of the node that judges is lost")]
    Lost(#[from] StoreError),
    #[error("what was stored meanwhile cannot be read")]
    Past(#[from] PastError),
    #[error("judging ended by a fault")]
    Fault,
    #[error("too many servers changed hands or labels to look at each")]
    ManyMoved,
}

pub(super) struct Leader<'a> {
    of: &'a Worker,
    seat: Seat,
    judge: Arc<Mutex<Judge>>,
    versions: HashMap<RuleId, i64>,
    /// New rules that have not been put yet.
    coming: VecDeque<Arc<Rule>>,
    /// Whether those that have been put know all their series.
    is_matched: bool,
    audience: Audience,
    revision: i64,
    /// As it is stored.
    judged_at: Micros,
    written_at: Instant,
    /// Whether anything fires or is over since that was counted.
    has_moved: bool,
}

impl<'a> Leader<'a> {
    /// Gets to know everything, and judges what was stored since it was last judged.
    pub(super) async fn take_over(of: &'a Worker, seat: Seat) -> Result<Self, Ended> {
        let progress = seat.progress().await?;
        let judge = Arc::new(Mutex::new(Judge::new(Arc::clone(&of.directory))));
        let mut leader = Self {
            of,
            seat,
            judge,
            versions: HashMap::new(),
            coming: VecDeque::new(),
            is_matched: true,
            audience: Audience::default(),
            revision: progress.rules_revision,
            judged_at: progress.judged_at,
            written_at: Instant::now(),
            has_moved: true,
        };
        leader.load_rules().await?;
        leader.seat.forget_disabled().await?;
        while leader.put_some().await? {}
        leader.restore().await?;
        leader.look_back().await?;
        leader.catch_up().await?;
        leader.measure().await?;
        Ok(leader)
    }

    /// What is done every second, and whenever rules may have changed.
    pub(super) async fn look(&mut self) -> Result<(), Ended> {
        let progress = self.seat.progress().await?;
        if progress.rules_revision != self.revision {
            self.load_rules().await?;
            // After what it stands for, so that what changes meanwhile is looked at again.
            self.revision = progress.rules_revision;
        }
        let now = self.of.clock.now();
        let found = self
            .on_judge(move |judge| {
                let mut found = Vec::new();
                judge.tick(now, &mut found);
                found
            })
            .await?;
        self.write(found, None).await?;
        self.measure().await
    }

    /// Judges what waits, and puts some of the new rules. Answers whether there is more to do right now.
    pub(super) async fn turn(&mut self) -> Result<bool, Ended> {
        let intake = &self.of.alerts.intake;
        let moved = intake.moved();
        if moved.all {
            return Err(Ended::ManyMoved);
        }
        let has_coming = self.put_some().await?;
        let received = self.of.clock.now();
        let (mut flushes, mut samples) = (Vec::new(), 0);
        while samples < TURN_SAMPLES_MAX {
            let Some(heard) = intake.next() else { break };
            samples += heard.flush.batch.len();
            flushes.push(heard);
        }
        let heard_at = flushes.first().map(|heard| heard.at);
        if !flushes.is_empty() || !moved.servers.is_empty() {
            Stats::add(&self.of.alerts.stats.samples, samples as u64);
            let found = self
                .on_judge(move |judge| {
                    let mut found = Vec::new();
                    moved.servers.iter().for_each(|server| judge.unlearn(*server));
                    flushes.iter().for_each(|heard| judge.judge(&heard.flush, received, &mut found));
                    found
                })
                .await?;
            let is_done = intake.is_empty() && !intake.is_lossy();
            self.write(found, is_done.then_some(received)).await?;
        } else if !intake.is_lossy() {
            self.write(Vec::new(), Some(received)).await?;
        }
        if let Some(heard_at) = heard_at {
            let lag_us = u64::try_from(heard_at.elapsed().as_micros()).unwrap_or(u64::MAX);
            Stats::set(&self.of.alerts.stats.lag_us, lag_us);
        }
        if intake.is_empty() && intake.is_lossy() {
            tracing::warn!("samples came faster than rules are judged; what is stored is read instead");
            self.catch_up().await?;
        }
        Ok(has_coming || !intake.is_empty())
    }

    /// Writes down how far it is, before it is left to another.
    pub(super) async fn leave(&mut self) -> Result<(), Ended> {
        while self.turn().await? {}
        let now = self.of.clock.now();
        Ok(self.seat.record(&Finding::default(), now, now).await?)
    }

    async fn load_rules(&mut self) -> Result<(), Ended> {
        let versions: HashMap<RuleId, i64> = self.seat.versions().await?.into_iter().collect();
        if versions.len() as i64 >= RULES_MAX {
            tracing::warn!(rules_max = RULES_MAX, "there are more rules than are judged");
        }
        let gone: Vec<RuleId> = self.versions.keys().copied().filter(|id| !versions.contains_key(id)).collect();
        let is_new = |(id, version): &(&RuleId, &i64)| self.versions.get(id) != Some(version);
        let changed: Vec<RuleId> = versions.iter().filter(is_new).map(|(id, _)| *id).collect();
        for ids in changed.chunks(RULES_PAGE) {
            for row in self.seat.rules(ids).await? {
                let (id, version) = (row.id, row.version);
                match watched::rule(row) {
                    Ok(rule) => self.coming.push_back(Arc::new(rule)),
                    Err(reason) => {
                        Stats::add(&self.of.alerts.stats.rules_unreadable, 1);
                        tracing::error!(rule.id = id.0, rule.version = version, reason, "a rule cannot be read");
                    }
                }
            }
        }
        if !gone.is_empty() {
            self.coming.retain(|rule| !gone.contains(&rule.id));
            self.is_matched = false;
            self.on_judge(move |judge| gone.iter().for_each(|id| judge.remove_rule(*id))).await?;
            self.seat.forget_disabled().await?;
        }
        self.versions = versions;
        let now = self.of.clock.now();
        let silences = self.seat.silences(now).await?;
        self.audience = Audience::new(&self.seat.recipients().await?, watched::silences(silences, now));
        self.acknowledge().await
    }

    /// Takes in what people said that they know of.
    async fn acknowledge(&mut self) -> Result<(), Ended> {
        let (acknowledged, now) = (self.seat.acknowledged().await?, self.of.clock.now());
        let found = self
            .on_judge(move |judge| {
                let mut found = Vec::new();
                for of in acknowledged {
                    judge.acknowledge((of.rule, of.series), &of.by, now, &mut found);
                }
                found
            })
            .await?;
        self.write(found, None).await
    }

    /// Puts new rules as far as a turn allows, and answers whether there is more to do.
    async fn put_some(&mut self) -> Result<bool, Ended> {
        if self.coming.is_empty() && self.is_matched {
            Stats::set(&self.of.alerts.stats.rules_revision, self.revision.cast_unsigned());
            return Ok(false);
        }
        let mut coming = std::mem::take(&mut self.coming);
        let (unjudged, is_matched) = self
            .on_judge(move |judge| {
                let (begun, mut unjudged) = (Instant::now(), 0_u64);
                loop {
                    // All at once: many together are matched in one pass.
                    let put = coming.drain(..).map(|rule| u64::from(judge.put_rule(rule).is_err()));
                    unjudged += put.sum::<u64>();
                    if judge.match_some() {
                        return (unjudged, true);
                    }
                    if begun.elapsed() >= PUT_TURN {
                        return (unjudged, false);
                    }
                }
            })
            .await?;
        if unjudged > 0 {
            tracing::warn!(rules = unjudged, "there are more rules than are judged");
        }
        self.is_matched = is_matched;
        Ok(!is_matched)
    }

    /// Has the judge do something, off the async workers.
    async fn on_judge<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Judge) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let judge = Arc::clone(&self.judge);
        let done = tokio::task::spawn_blocking(move || judge.lock().ok().map(|mut judge| work(&mut judge))).await;
        // Poisoned, or a panic just now: what it knows may be half changed.
        done.ok().flatten().ok_or(Ended::Fault)
    }
}

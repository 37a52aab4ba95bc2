//! How one rule stands with one series once there is something to say, and what firing and being over mean for it: who is
//! told, and whether it flaps. All times are those of the server's clock but `since`.
//!
//! Nothing but what [`State`] stores is known here, so that whoever takes over goes on exactly so:
//! - the firing at hand was told when `told_at` is not before `fired_at`;
//! - it flaps while it has more flips than the rule allows, and beneath that it is over when the last of them is later than
//!   `fired_at`. Of two flips in one moment the later one counts a microsecond later.

use super::Step;
use super::window::micros;
use crate::alert::rule::{Flap, Rule};
use crate::model::alert::{Happened, Phase, State};
use crate::model::{Micros, Series};

/// The shortest time between two reminders, whatever a rule says.
const REPEAT_MICROS_MIN: i64 = Micros::PER_SECOND;

/// What decided, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    /// The time of the sample and what was compared; `None` where nothing came.
    pub(super) sample: Option<(Micros, f64)>,
    pub(super) now: Micros,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) phase: Phase,
    pub(super) since: Micros,
    pub(super) value: Option<f64>,
    pub(super) fired_at: Option<Micros>,
    told_at: Option<Micros>,
    acknowledged_by: Option<Box<str>>,
    flips: Vec<Micros>,
}

impl Cause {
    pub(super) fn time(&self) -> Micros {
        self.sample.map_or(self.now, |(time, _)| time)
    }

    pub(super) fn step(&self, happened: Option<Happened>, tells: bool) -> Step {
        let (sample_time, value) = self.sample.unzip();
        Step { at: self.now, happened, tells, sample_time, value }
    }

    fn value(&self) -> Option<f64> {
        self.sample.map(|(_, value)| value)
    }
}

impl Standing {
    pub(super) fn new(phase: Phase, cause: &Cause) -> Self {
        Self {
            phase,
            since: cause.time(),
            value: cause.value(),
            fired_at: None,
            told_at: None,
            acknowledged_by: None,
            flips: Vec::new(),
        }
    }

    pub(super) fn stored(state: State) -> Self {
        Self {
            phase: state.phase,
            since: state.since,
            value: state.value,
            fired_at: state.fired_at,
            told_at: state.told_at,
            acknowledged_by: state.acknowledged_by.map(Into::into),
            flips: state.flips,
        }
    }

    pub(super) fn state(&self, rule: &Rule, series: &Series, judged_until: Option<Micros>) -> State {
        State {
            rule: rule.id,
            series: Some(series.id),
            server: series.server,
            phase: self.phase,
            since: self.since,
            judged_until,
            value: self.value,
            fired_at: self.fired_at,
            told_at: self.told_at,
            acknowledged_by: self.acknowledged_by.as_deref().map(str::to_owned),
            flips: self.flips.clone(),
        }
    }

    /// Whether it fires, and does so beneath any flapping too.
    pub(super) fn is_on(&self, rule: &Rule) -> bool {
        self.is_firing() && !(self.is_flapping(rule) && self.flips.last().copied() > self.fired_at)
    }

    /// Whether it fires as far as people know.
    pub(super) fn is_firing(&self) -> bool {
        matches!(self.phase, Phase::Firing | Phase::Acknowledged)
    }

    pub(super) fn is_flapping(&self, rule: &Rule) -> bool {
        self.is_firing() && rule.flap.is_some_and(|flap| self.flips.len() > usize::from(flap.changes))
    }

    /// It goes on firing, by something else.
    pub(super) fn appear(&mut self, cause: &Cause) -> Step {
        self.value = cause.value();
        cause.step(None, false)
    }

    /// It moves without anybody hearing of it.
    pub(super) fn settle(&mut self, phase: Phase, cause: &Cause) -> Step {
        self.phase = phase;
        self.since = cause.time();
        self.value = cause.value();
        cause.step(None, false)
    }

    pub(super) fn fire(&mut self, rule: &Rule, cause: &Cause) -> Step {
        let was_flapping = self.is_flapping(rule);
        let at = self.flips.last().map_or(cause.now, |last| cause.now.max(*last));
        // It is told of this firing only once it says so; see the head of this file.
        self.told_at = self.told_at.map(|told| told.min(Micros(at.0.saturating_sub(1))));
        self.fired_at = Some(at);
        self.flip(rule.flap, at, was_flapping);
        if was_flapping {
            return self.appear(cause);
        }
        self.settle(Phase::Firing, cause);
        if self.is_flapping(rule) {
            return self.suppress(cause);
        }
        let tells = self.told_at.is_none_or(|told| at >= after(told, micros(rule.cooldown)));
        if tells {
            self.told_at = Some(at);
        }
        let happened = if cause.sample.is_some() { Happened::Firing } else { Happened::NoData };
        cause.step(Some(happened), tells)
    }

    pub(super) fn resolve(&mut self, rule: &Rule, cause: &Cause) -> Step {
        let (was_flapping, was_told) = (self.is_flapping(rule), self.is_told());
        let at = self.fired_at.map_or(cause.now, |fired| cause.now.max(after(fired, 1)));
        self.flip(rule.flap, at, was_flapping);
        if was_flapping {
            return cause.step(None, false);
        }
        if self.is_flapping(rule) {
            return self.suppress(cause);
        }
        self.end(rule, cause, was_told)
    }

    /// Ends it where it is not watched any more. Nobody is told: nothing has become better.
    pub(super) fn abandon(&mut self, cause: &Cause) -> Step {
        let happened = self.is_firing().then_some(Happened::Resolved);
        self.flips.clear();
        self.acknowledged_by = None;
        self.settle(Phase::Resolved, cause);
        cause.step(happened, false)
    }

    pub(super) fn acknowledge(&mut self, by: &str, now: Micros) -> Option<Step> {
        let is_news = self.is_firing() && self.acknowledged_by.as_deref() != Some(by);
        if is_news {
            self.phase = Phase::Acknowledged;
            self.acknowledged_by = Some(by.into());
        }
        is_news.then(|| self.word(Happened::Acknowledged, false, now))
    }

    /// When there is next something to say without anything coming.
    pub(super) fn due(&self, rule: &Rule) -> Option<Micros> {
        if let Some(flap) = rule.flap.filter(|_| self.is_flapping(rule)) {
            return self.flips.last().map(|last| after(*last, micros(flap.within)));
        }
        if self.phase != Phase::Firing {
            return None;
        }
        let told = self.told_at?;
        let cooldown = micros(rule.cooldown);
        match rule.repeat {
            _ if !self.is_told() => Some(after(told, cooldown)),
            Some(repeat) => Some(after(told, micros(repeat).max(cooldown).max(REPEAT_MICROS_MIN))),
            None => None,
        }
    }

    /// Says what is due: that it is quiet at last, or that it still fires.
    pub(super) fn tick(&mut self, rule: &Rule, now: Micros) -> Option<Step> {
        if self.due(rule).is_none_or(|due| due > now) {
            return None;
        }
        if !self.is_flapping(rule) {
            self.told_at = Some(self.fired_at.map_or(now, |fired| now.max(fired)));
            return Some(self.word(Happened::Reminder, true, now));
        }
        let is_on = self.is_on(rule);
        self.flips.clear();
        let cause = Cause { sample: None, now };
        Some(if is_on { cause.step(None, false) } else { self.end(rule, &cause, true) })
    }

    fn is_told(&self) -> bool {
        self.told_at.is_some() && self.told_at >= self.fired_at
    }

    fn end(&mut self, rule: &Rule, cause: &Cause, was_told: bool) -> Step {
        self.settle(Phase::Resolved, cause);
        self.acknowledged_by = None;
        let tells = was_told && rule.tells_recovery;
        if tells {
            self.told_at = self.told_at.max(Some(cause.now));
        }
        cause.step(Some(Happened::Resolved), tells)
    }

    /// People are told this once, however short ago they were told something else.
    fn suppress(&mut self, cause: &Cause) -> Step {
        self.told_at = self.told_at.max(self.fired_at).max(Some(cause.now));
        cause.step(Some(Happened::Suppressed), true)
    }

    /// Says something of it as it is.
    fn word(&self, happened: Happened, tells: bool, now: Micros) -> Step {
        Step { value: self.value, ..Cause { sample: None, now }.step(Some(happened), tells) }
    }

    /// While it flaps, its flips are not forgotten by their age, because their number says that it does.
    fn flip(&mut self, flap: Option<Flap>, at: Micros, was_flapping: bool) {
        let Some(flap) = flap else { return self.flips.clear() };
        if !was_flapping {
            let within = micros(flap.within);
            self.flips.retain(|flip| after(*flip, within) > at);
        }
        self.flips.push(at);
        let surplus = self.flips.len().saturating_sub(usize::from(flap.changes) + 1);
        self.flips.drain(..surplus);
    }
}

pub(super) fn after(time: Micros, micros: i64) -> Micros {
    Micros(time.0.saturating_add(micros))
}

//! One rule and one series: a state machine that takes samples in the order of their times, and moments in which nothing
//! came. Pure; the rule is handed in, because it may change.

use super::condition::Verdict;
use super::standing::{Cause, Standing, after};
use super::window::{Room, Window, micros};
use super::{Reading, Step};
use crate::alert::rule::{Condition, NoData, Rule};
use crate::model::alert::{Phase, State};
use crate::model::{Micros, Series};

/// Small as long as all is as it should be.
#[derive(Debug)]
pub(super) struct Instance {
    /// `i64::MIN`: none has been judged.
    judged_until: Micros,
    window: Option<Box<Window>>,
    standing: Option<Box<Standing>>,
}

/// There was no room for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Instance {
    pub(super) fn new() -> Self {
        Self { judged_until: Micros(i64::MIN), window: None, standing: None }
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        self.standing.as_ref().map(|standing| standing.phase)
    }

    pub(super) fn is_firing(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.is_firing())
    }

    /// Goes on from what was stored.
    pub(super) fn restore(&mut self, state: State) {
        self.judged_until = state.judged_until.unwrap_or(Micros(i64::MIN));
        self.standing = Some(Box::new(Standing::stored(state)));
    }

    /// How it stands, once there was something to say.
    pub(super) fn state(&self, rule: &Rule, series: &Series) -> Option<State> {
        let judged_until = Some(self.judged_until).filter(|time| time.0 != i64::MIN);
        self.standing.as_ref().map(|standing| standing.state(rule, series, judged_until))
    }

    /// Takes a sample into the window without judging it. Where there is no room, the next one that is judged says so.
    pub(super) fn remember(&mut self, rule: &Rule, reading: Reading, room: &mut Room) {
        self.value(rule, reading, room).ok();
    }

    /// Judges a sample. One that is not later than the last one changes nothing. Absence is another matter: it is ended by
    /// a sample of whatever time, provided that it came after it was found.
    #[inline]
    pub(super) fn sample(&mut self, rule: &Rule, reading: Reading, room: &mut Room) -> Result<Option<Step>, NoRoom> {
        let is_old = if matches!(rule.condition, Condition::Absent { .. }) {
            self.standing.as_ref().is_some_and(|standing| standing.fired_at > Some(reading.received))
        } else {
            reading.time <= self.judged_until
        };
        if is_old {
            self.remember(rule, reading, room);
            return Ok(None);
        }
        let value = self.value(rule, reading, room)?;
        self.judged_until = self.judged_until.max(reading.time);
        let verdict = Verdict::of(&rule.condition, value);
        if self.standing.is_none() && verdict != Verdict::Met {
            return Ok(None);
        }
        let cause = Cause { sample: Some((reading.time, value)), now: reading.received };
        Ok(self.follow(rule, verdict, &cause))
    }

    /// When there is next something to say if nothing comes. `heard` is when the last sample came.
    pub(super) fn due(&self, rule: &Rule, heard: Option<Micros>) -> Option<Micros> {
        let of_standing = self.standing.as_ref().and_then(|standing| standing.due(rule));
        let of_silence = self.silence(rule).and_then(|(_, after_micros)| Some(after(heard?, after_micros)));
        match (of_standing, of_silence) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Says one thing that is due, if there is one. After each there may be another.
    pub(super) fn tick(&mut self, rule: &Rule, now: Micros, heard: Option<Micros>) -> Option<Step> {
        if let Some((fires, after_micros)) = self.silence(rule)
            && heard.is_some_and(|heard| after(heard, after_micros) <= now)
        {
            let cause = Cause { sample: None, now };
            return self.fall_silent(rule, fires, &cause);
        }
        self.standing.as_mut()?.tick(rule, now)
    }

    pub(super) fn acknowledge(&mut self, by: &str, now: Micros) -> Option<Step> {
        self.standing.as_mut()?.acknowledge(by, now)
    }

    /// The end of watching. Says what there is to say of it.
    pub(super) fn abandon(&mut self, now: Micros, room: &mut Room) -> Option<Step> {
        self.free(room);
        let standing = self.standing.as_mut()?;
        (standing.phase != Phase::Resolved).then(|| standing.abandon(&Cause { sample: None, now }))
    }

    /// Gives back the memory that is counted.
    pub(super) fn free(&mut self, room: &mut Room) {
        if let Some(window) = self.window.take() {
            room.give_back(&window);
        }
    }

    /// What is compared: the value itself, or what the window comes to with it.
    fn value(&mut self, rule: &Rule, reading: Reading, room: &mut Room) -> Result<f64, NoRoom> {
        let Some(of) = rule.window else {
            self.free(room);
            return Ok(reading.value);
        };
        if self.window.as_ref().is_some_and(|window| !window.is_of(of)) {
            self.free(room);
        }
        if self.window.is_none() {
            self.window = Window::new(of, room).map(Box::new);
        }
        let window = self.window.as_mut().ok_or(NoRoom)?;
        window.push(reading.time, reading.value, room);
        Ok(window.value())
    }

    fn follow(&mut self, rule: &Rule, verdict: Verdict, cause: &Cause) -> Option<Step> {
        let Some(standing) = &mut self.standing else {
            let standing = self.standing.insert(Box::new(Standing::new(Phase::Pending, cause)));
            let waits = !rule.pending.is_zero();
            return Some(if waits { cause.step(None, false) } else { standing.fire(rule, cause) });
        };
        if standing.is_on(rule) {
            // What fired because nothing came has no value, and is over as soon as something comes that is fine.
            let was_missing = standing.value.is_none();
            return match verdict {
                Verdict::Met => was_missing.then(|| standing.appear(cause)),
                Verdict::Between if !was_missing => None,
                Verdict::Between | Verdict::Over => Some(standing.resolve(rule, cause)),
            };
        }
        match (verdict, standing.phase) {
            // While it flaps it is taken to fire, so nothing has to hold first.
            (Verdict::Met, Phase::Firing | Phase::Acknowledged) => Some(standing.fire(rule, cause)),
            (Verdict::Met, Phase::Pending) => {
                let has_held = cause.time() >= after(standing.since, micros(rule.pending));
                has_held.then(|| standing.fire(rule, cause))
            }
            (Verdict::Met, Phase::Resolved) if rule.pending.is_zero() => Some(standing.fire(rule, cause)),
            (Verdict::Met, Phase::Resolved) => Some(standing.settle(Phase::Pending, cause)),
            (_, Phase::Pending) => Some(standing.settle(Phase::Resolved, cause)),
            _ => None,
        }
    }

    /// Whether silence would make it fire or end it, and after how long.
    fn silence(&self, rule: &Rule) -> Option<(bool, i64)> {
        let is_on = self.standing.as_ref().is_some_and(|standing| standing.is_on(rule));
        let is_pending = self.standing.as_ref().is_some_and(|standing| standing.phase == Phase::Pending);
        match (rule.condition, rule.no_data) {
            (Condition::Absent { after }, _) if !is_on => {
                Some((true, micros(after).saturating_add(micros(rule.pending))))
            }
            (Condition::Absent { .. }, _) => None,
            (_, NoData::Fire { after }) if !is_on => Some((true, micros(after))),
            (_, NoData::Resolve { after }) if is_on || is_pending => Some((false, micros(after))),
            _ => None,
        }
    }

    fn fall_silent(&mut self, rule: &Rule, fires: bool, cause: &Cause) -> Option<Step> {
        if fires {
            let standing = self.standing.get_or_insert_with(|| Box::new(Standing::new(Phase::Resolved, cause)));
            return Some(standing.fire(rule, cause));
        }
        let standing = self.standing.as_mut()?;
        Some(if standing.is_firing() { standing.resolve(rule, cause) } else { standing.settle(Phase::Resolved, cause) })
    }
}

//! What the judge takes and what it finds. Plain data.

use std::sync::Arc;

use super::instance::Instance;
use crate::alert::rule::Rule;
use crate::model::alert::{Happened, State};
use crate::model::{Micros, Series};

/// One sample of a series.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub time: Micros,
    pub value: f64,
    /// When it came, by the server's clock; the time of the sample where that is not known.
    pub received: Micros,
}

/// What happened to an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// By the server's clock.
    pub at: Micros,
    /// `None`: it moved, but nobody hears of it: it began to wait, or flapped once more.
    pub happened: Option<Happened>,
    /// Whether people are to be told.
    pub tells: bool,
    /// `None` where no sample decided.
    pub sample_time: Option<Micros>,
    pub value: Option<f64>,
}

/// What happened to a rule and a series, and the state to be stored.
#[derive(Clone, Debug)]
pub struct Change {
    pub rule: Arc<Rule>,
    pub series: Arc<Series>,
    pub state: State,
    pub happened: Option<Happened>,
    pub tells: bool,
    pub sample_time: Option<Micros>,
    pub value: Option<f64>,
}

/// How much there is of what is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub rules: usize,
    pub instances: usize,
    pub window_bytes: usize,
    /// How often a rule and a series, or a sample of theirs, could not be judged since the start.
    pub unjudged: u64,
}

impl Change {
    pub(super) fn new(rule: &Arc<Rule>, series: &Arc<Series>, instance: &Instance, step: Step) -> Option<Self> {
        let Step { at: _, happened, tells, sample_time, value } = step;
        let state = instance.state(rule, series)?;
        let (rule, series) = (Arc::clone(rule), Arc::clone(series));
        Some(Self { rule, series, state, happened, tells, sample_time, value })
    }
}

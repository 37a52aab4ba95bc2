//! Which series have to be read, and how far back, before rules can be judged as if nobody had been away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::rule::{Condition, NoData, Rule};
use crate::matching::{ENTRIES_MAX, Filter, GroupId, Routes};
use crate::model::{Series, SeriesDirectory, SeriesId};

/// Steps of matching at one time; no series is known here, so there is nothing to match.
const STEPS: usize = 65_536;

/// Series that one of several filters means by what they are. Whose they are is for the judge to say.
pub(super) struct Wanted {
    routes: Routes,
    /// What was asked already: each sample that is read asks again.
    known: Mutex<HashMap<SeriesId, bool>>,
}

impl Wanted {
    pub(super) fn new<'a>(filters: impl Iterator<Item = &'a Filter>, directory: &Arc<dyn SeriesDirectory>) -> Self {
        let mut routes = Routes::new(Arc::clone(directory), ENTRIES_MAX);
        for (group, filter) in filters.enumerate() {
            if routes.add(group as GroupId, &Arc::new(filter.clone())).is_ok() {
                while !routes.match_some(STEPS) {}
            }
        }
        Self { routes, known: Mutex::default() }
    }

    pub(super) fn wants(&self, series: &Series) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(series.id).or_insert_with(|| self.routes.may_mean(series))
    }
}

/// How far back a rule looks: what its window holds, and when a series was last heard of whose silence counts. Zero where
/// the next sample says all.
pub(super) fn looks_back(rule: &Rule) -> Duration {
    let window = rule.window.map_or(Duration::ZERO, |window| window.over);
    let silence = match (rule.condition, rule.no_data) {
        (Condition::Absent { after }, _) | (_, NoData::Resolve { after } | NoData::Fire { after }) => after,
        (_, NoData::Keep) => Duration::ZERO,
    };
    window.max(silence)
}

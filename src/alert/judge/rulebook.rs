//! The rules, and which series each of them watches. Pure.
//!
//! A rule whose filter changes becomes a new group of [`Routes`]: its old one is forgotten there with others that are gone,
//! because that walks all the lists. When many groups wait to be matched the lists are begun anew instead, so that each
//! series is matched once against all of them when it is next met, and not by each of them in turn.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::alert::rule::Rule;
use crate::matching::{ENTRIES_MAX, GroupId, Routes};
use crate::model::alert::RuleId;
use crate::model::{SeriesDirectory, SeriesId};

/// Most rules that are judged.
const RULES_MAX: usize = 32_768;
/// Steps of matching at one time.
const MATCH_STEPS_MAX: usize = 65_536;
/// So many groups that wait are matched by beginning anew.
const ANEW_MIN: usize = 64;

/// The place of a rule in the book.
pub(super) type RuleNumber = u32;

/// There are as many rules as can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {RULES_MAX} rules, and no more are judged")]
pub struct Full;

pub(super) struct Rulebook {
    directory: Arc<dyn SeriesDirectory>,
    routes: Routes,
    numbers: HashMap<RuleId, RuleNumber>,
    rules: Vec<Option<Known>>,
    free: Vec<RuleNumber>,
    /// Whose each group is; nobody's once it is gone.
    groups: Vec<Option<RuleNumber>>,
    free_groups: Vec<GroupId>,
    gone: Vec<GroupId>,
    waiting: VecDeque<GroupId>,
    /// Whether a group is on its way past the series.
    is_matching: bool,
    /// Changes with whatever is watched.
    revision: u32,
}

struct Known {
    rule: Arc<Rule>,
    group: GroupId,
    /// How often a series it watches could not be judged.
    unjudged: u64,
}

impl Rulebook {
    pub(super) fn new(directory: Arc<dyn SeriesDirectory>) -> Self {
        Self {
            routes: Routes::new(Arc::clone(&directory), ENTRIES_MAX),
            directory,
            numbers: HashMap::new(),
            rules: Vec::new(),
            free: Vec::new(),
            groups: Vec::new(),
            free_groups: Vec::new(),
            gone: Vec::new(),
            waiting: VecDeque::new(),
            is_matching: false,
            revision: 1,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn revision(&self) -> u32 {
        self.revision
    }

    pub(super) fn number(&self, id: RuleId) -> Option<RuleNumber> {
        self.numbers.get(&id).copied()
    }

    #[inline]
    pub(super) fn rule(&self, number: RuleNumber) -> Option<&Arc<Rule>> {
        self.rules.get(number as usize)?.as_ref().map(|known| &known.rule)
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter().flatten().map(|known| &known.rule)
    }

    pub(super) fn unjudged(&self, number: RuleNumber) -> u64 {
        self.rules[number as usize].as_ref().map_or(0, |known| known.unjudged)
    }

    pub(super) fn count_unjudged(&mut self, number: RuleNumber) {
        if let Some(known) = &mut self.rules[number as usize] {
            known.unjudged += 1;
        }
    }

    /// A new rule, or a version of one.
    pub(super) fn put(&mut self, rule: Arc<Rule>) -> Result<RuleNumber, Full> {
        let number = match self.number(rule.id) {
            Some(number) => {
                if let Some(known) = &mut self.rules[number as usize]
                    && known.rule.filter == rule.filter
                {
                    known.rule = rule;
                    return Ok(number);
                }
                self.drop_group(number);
                number
            }
            None if self.numbers.len() >= RULES_MAX => return Err(Full),
            None => self.free.pop().unwrap_or_else(|| {
                self.rules.push(None);
                self.rules.len() as RuleNumber - 1
            }),
        };
        let group = self.free_groups.pop().unwrap_or_else(|| {
            self.groups.push(None);
            self.groups.len() as GroupId - 1
        });
        self.groups[group as usize] = Some(number);
        self.waiting.push_back(group);
        self.numbers.insert(rule.id, number);
        self.rules[number as usize] = Some(Known { rule, group, unjudged: 0 });
        Ok(number)
    }

    /// Its number is nobody else's until it is released.
    pub(super) fn remove(&mut self, id: RuleId) -> Option<RuleNumber> {
        let number = self.numbers.remove(&id)?;
        self.drop_group(number);
        self.rules[number as usize] = None;
        Some(number)
    }

    pub(super) fn release(&mut self, number: RuleNumber) {
        if self.rule(number).is_none() {
            self.free.push(number);
        }
    }

    pub(super) fn unlearn(&mut self, server_id: Uuid) {
        self.routes.unlearn(server_id);
        self.revision += 1;
    }

    /// What could not be judged may be judged now.
    pub(super) fn look_again(&mut self) {
        self.revision += 1;
    }

    /// A slice of matching. Returns whether all rules know what they watch.
    pub(super) fn match_some(&mut self) -> bool {
        if !self.is_matching {
            self.begin();
        }
        if self.is_matching && self.routes.match_some(MATCH_STEPS_MAX) {
            self.is_matching = false;
            self.revision += 1;
        }
        !self.is_matching && self.waiting.is_empty() && self.gone.is_empty()
    }

    /// Which rules watch the series; `None` when the catalog does not know it.
    pub(super) fn watching(&mut self, id: SeriesId, watching: &mut Vec<RuleNumber>) -> Option<()> {
        let route = self.routes.of(id)?;
        watching.clear();
        watching.extend(route.groups().filter_map(|group| self.groups[group as usize]));
        Some(())
    }

    fn begin(&mut self) {
        if self.waiting.len() >= ANEW_MIN {
            return self.begin_anew();
        }
        if !self.gone.is_empty() {
            let groups = &self.groups;
            self.routes.remove(|group| groups[group as usize].is_none());
            self.forget_gone();
        }
        if let Some(group) = self.waiting.pop_front() {
            self.add(group);
        }
    }

    fn begin_anew(&mut self) {
        self.routes = Routes::new(Arc::clone(&self.directory), ENTRIES_MAX);
        self.waiting.clear();
        self.forget_gone();
        let groups: Vec<GroupId> = self.rules.iter().flatten().map(|known| known.group).collect();
        for group in groups {
            self.add(group);
            // No series is known yet, so one slice is enough unless the group names thousands of servers.
            while self.is_matching && !self.routes.match_some(MATCH_STEPS_MAX) {}
            self.is_matching = false;
        }
        self.revision += 1;
    }

    fn add(&mut self, group: GroupId) {
        let Some(number) = self.groups[group as usize] else { return };
        let Some(known) = &mut self.rules[number as usize] else { return };
        let filter = Arc::new(known.rule.filter.clone());
        match self.routes.add(group, &filter) {
            Ok(()) => self.is_matching = true,
            // The lists are full: what it watches is not judged, and it says so.
            Err(_) => known.unjudged += 1,
        }
    }

    fn drop_group(&mut self, number: RuleNumber) {
        if let Some(known) = &self.rules[number as usize] {
            self.groups[known.group as usize] = None;
            self.gone.push(known.group);
            self.revision += 1;
        }
    }

    fn forget_gone(&mut self) {
        let gone = std::mem::take(&mut self.gone);
        self.waiting.retain(|group| !gone.contains(group));
        self.free_groups.extend(gone);
    }
}

impl fmt::Debug for Rulebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rulebook").field("rules", &self.len()).field("revision", &self.revision).finish_non_exhaustive()
    }
}

//! Groups that name no server. A new series is compared only with those that could mean it: a group whose types or names
//! are literal is found by them. Pure.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use super::filter::Filter;
use super::routes::GroupId;
use crate::model::Identity;

/// A group that names more pairs of a type and a name is compared with every series.
const PAIRS_MAX: usize = 16;

pub(super) type Group = (GroupId, Arc<Filter>);

/// A type and a name; `None` stands for any.
type Pair<'a> = (Option<&'a str>, Option<&'a str>);

#[derive(Default)]
pub(super) struct Anywhere {
    all: Vec<Group>,
    /// By the hash of a pair. Two pairs of one hash share a list, which costs a comparison.
    of_pair: HashMap<u64, Vec<Group>>,
    /// Those that are not found by a pair.
    others: Vec<Group>,
    hasher: RandomState,
}

impl Anywhere {
    pub(super) fn push(&mut self, group: Group) {
        match pairs(&group.1) {
            Some(pairs) => {
                for pair in pairs {
                    let list = self.of_pair.entry(self.hasher.hash_one(pair)).or_default();
                    if list.last().is_none_or(|(last, _)| *last != group.0) {
                        list.push(group.clone());
                    }
                }
            }
            None => self.others.push(group.clone()),
        }
        self.all.push(group);
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(GroupId) -> bool) {
        self.all.retain(|(group, _)| is_kept(*group));
        self.others.retain(|(group, _)| is_kept(*group));
        self.of_pair.retain(|_, list| {
            list.retain(|(group, _)| is_kept(*group));
            !list.is_empty()
        });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.all.iter()
    }

    /// Those that could mean a series of this name: each once, and none that does is missing.
    pub(super) fn candidates(&self, identity: &Identity) -> impl Iterator<Item = &Group> {
        let (of_type, name) = (Some(identity.metric_type()), Some(identity.metric_name()));
        let pairs: [Pair<'_>; 3] = [(of_type, name), (of_type, None), (None, name)];
        let found = pairs.map(|pair| self.of_pair.get(&self.hasher.hash_one(pair)));
        found.into_iter().flatten().flatten().chain(&self.others)
    }
}

/// The pairs a filter names; `None` where it takes patterns, anything, or too many.
fn pairs(filter: &Filter) -> Option<Vec<Pair<'_>>> {
    let [types, names] = filter.literals()?;
    let is_any = types.contains(&None) && names.contains(&None);
    if is_any || types.len() * names.len() > PAIRS_MAX {
        return None;
    }
    Some(types.iter().flat_map(|of_type| names.iter().map(|name| (*of_type, *name))).collect())
}

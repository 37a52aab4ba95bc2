//! Which groups of subscribers a series goes to: one array look-up a sample, whatever the number of subscribers.
//!
//! A group is everyone who asked for the same filter in the same form. A series is matched against the groups once,
//! when it is first seen, and a group against the known series once, when it is new. Filters that take everything are
//! kept apart, so that they cost no entry a series. When the lists hold [`ENTRIES_MAX`] entries a new group is refused
//! and a new series is matched anew for each sample: slower, but right. Pure; knows groups only by number.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::filter::Filter;
use crate::model::series::SeriesDirectory;
use crate::model::{Series, SeriesId};

/// Most (series, group) pairs kept: 32 MiB.
pub(super) const ENTRIES_MAX: usize = 8 << 20;
/// Series with this number and above are not kept: 32 bytes for each below it, 256 MiB at most.
const LISTED_SERIES_MAX: usize = 8 << 20;

/// The number of a group, its place in the hub's table.
pub(super) type GroupId = u32;

/// Where each series goes.
pub(super) struct Routes {
    directory: Arc<dyn SeriesDirectory>,
    lists: Vec<List>,
    entries: usize,
    entries_max: usize,
    by_server: HashMap<Uuid, OfServer>,
    /// Groups that name no server but have another condition.
    anywhere: Vec<(GroupId, Arc<Filter>)>,
    /// Groups without any condition.
    everything: Vec<GroupId>,
    /// The series last asked for that could not be kept.
    unlisted: List,
}

/// A series and the groups it goes to. Without a series it has not been seen.
#[derive(Default)]
struct List {
    series: Option<Arc<Series>>,
    groups: Vec<GroupId>,
}

#[derive(Default)]
struct OfServer {
    known: Vec<SeriesId>,
    groups: Vec<(GroupId, Arc<Filter>)>,
}

/// Where one sample goes.
pub(super) struct Route<'a> {
    pub(super) series: &'a Series,
    groups: &'a [GroupId],
    everything: &'a [GroupId],
}

/// The lists are full, so no further filter can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Route<'_> {
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.groups.iter().chain(self.everything).copied()
    }
}

impl Routes {
    pub(super) fn new(directory: Arc<dyn SeriesDirectory>, entries_max: usize) -> Self {
        Self {
            directory,
            lists: Vec::new(),
            entries: 0,
            entries_max,
            by_server: HashMap::new(),
            anywhere: Vec::new(),
            everything: Vec::new(),
            unlisted: List::default(),
        }
    }

    /// Where samples of this series go; `None` when the catalog does not know it.
    #[inline]
    pub(super) fn of(&mut self, id: SeriesId) -> Option<Route<'_>> {
        let index = id.0 as usize;
        let is_listed = self.lists.get(index).is_some_and(|list| list.series.is_some()) || self.learn(id)?;
        let list = if is_listed { &self.lists[index] } else { &self.unlisted };
        let series = list.series.as_deref()?;
        Some(Route { series, groups: &list.groups, everything: &self.everything })
    }

    /// Matches the filter of a new group against the known series, those of its servers only when it names servers.
    pub(super) fn add(&mut self, group: GroupId, filter: &Arc<Filter>) -> Result<(), Full> {
        if filter.is_everything() {
            self.everything.push(group);
            return Ok(());
        }
        if self.entries >= self.entries_max {
            return Err(Full);
        }
        if filter.servers().is_empty() {
            self.anywhere.push((group, Arc::clone(filter)));
            for list in &mut self.lists {
                self.entries += usize::from(list.admit(group, filter));
            }
        }
        for server in filter.servers() {
            let of_server = self.by_server.entry(*server).or_default();
            of_server.groups.push((group, Arc::clone(filter)));
            for id in &of_server.known {
                self.entries += usize::from(self.lists[id.0 as usize].admit(group, filter));
            }
        }
        Ok(())
    }

    /// Forgets groups everywhere. Walks all the lists, so it is called for many groups at a time.
    pub(super) fn remove(&mut self, is_gone: impl Fn(GroupId) -> bool) {
        self.everything.retain(|group| !is_gone(*group));
        self.anywhere.retain(|(group, _)| !is_gone(*group));
        self.by_server.retain(|_, of_server| {
            of_server.groups.retain(|(group, _)| !is_gone(*group));
            !of_server.groups.is_empty() || !of_server.known.is_empty()
        });
        self.entries = 0;
        for list in &mut self.lists {
            list.groups.retain(|group| !is_gone(*group));
            if list.groups.is_empty() {
                list.groups = Vec::new();
            }
            self.entries += list.groups.len();
        }
    }

    /// The groups whose filter lets events of this server through.
    pub(super) fn of_event(&self, server_id: Uuid) -> impl Iterator<Item = GroupId> {
        let of_server = self.by_server.get(&server_id).into_iter().flat_map(|of_server| &of_server.groups);
        of_server.chain(&self.anywhere).map(|(group, _)| *group).chain(self.everything.iter().copied())
    }

    /// Looks a series up for the first time. Returns whether it has a list from now on.
    #[cold]
    fn learn(&mut self, id: SeriesId) -> Option<bool> {
        let series = self.directory.series(id)?;
        let of_server = self.by_server.entry(series.server_id).or_default();
        let candidates = of_server.groups.iter().chain(&self.anywhere);
        let groups: Vec<_> =
            candidates.filter(|(_, filter)| filter.matches(&series)).map(|(group, _)| *group).collect();
        let index = id.0 as usize;
        let has_room = index < LISTED_SERIES_MAX && self.entries + groups.len() <= self.entries_max;
        if has_room {
            of_server.known.push(id);
            self.entries += groups.len();
            if index >= self.lists.len() {
                self.lists.resize_with(index + 1, List::default);
            }
        }
        let place = if has_room { &mut self.lists[index] } else { &mut self.unlisted };
        *place = List { series: Some(series), groups };
        Some(has_room)
    }
}

impl List {
    fn admit(&mut self, group: GroupId, filter: &Filter) -> bool {
        let admits = self.series.as_ref().is_some_and(|series| filter.matches(series));
        if admits {
            self.groups.push(group);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::fixtures::{directory, pairs};

    fn filter(of: &[(&str, &str)]) -> Arc<Filter> {
        Arc::new(Filter::parse(&pairs(of)).unwrap())
    }

    fn groups(routes: &mut Routes, series: u32) -> Option<Vec<GroupId>> {
        routes.of(SeriesId(series)).map(|route| route.groups().collect())
    }

    #[test]
    fn a_group_sees_series_known_before_it_and_after_it() {
        let mut routes = Routes::new(Arc::new(directory()), 100);
        assert_eq!(groups(&mut routes, 0), Some(vec![]));
        routes.add(7, &filter(&[("metric_type", "cpu")])).unwrap();
        routes.add(8, &filter(&[("server_id", "00000000-0000-0000-0000-000000000001")])).unwrap();
        routes.add(9, &filter(&[])).unwrap();
        assert_eq!(groups(&mut routes, 0), Some(vec![7, 9]));
        assert_eq!(groups(&mut routes, 4), Some(vec![8, 7, 9]));
        assert_eq!(groups(&mut routes, 6), Some(vec![8, 9]));
        assert_eq!(groups(&mut routes, 1000), None);
        routes.remove(|group| group != 7);
        assert_eq!(groups(&mut routes, 4), Some(vec![7]));
    }

    #[test]
    fn a_series_that_does_not_fit_the_lists_is_matched_for_each_sample() {
        let mut routes = Routes::new(Arc::new(directory()), 1);
        routes.add(1, &filter(&[("metric_type", "cpu")])).unwrap();
        for _ in 0..2 {
            assert_eq!(groups(&mut routes, 0), Some(vec![1]));
            assert_eq!(groups(&mut routes, 1), Some(vec![1]));
            assert_eq!(groups(&mut routes, 2), Some(vec![]));
        }
        assert_eq!(routes.entries, 1);
        assert_eq!(routes.add(2, &filter(&[("metric_type", "disk")])), Err(Full));
        assert_eq!(routes.add(3, &filter(&[])), Ok(()), "what takes everything costs no entries");
    }
}

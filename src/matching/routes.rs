//! Which groups of subscribers a series goes to: one array look-up a sample, whatever the number of subscribers.
//!
//! A group is everyone who asked for the same filter in the same form. A series is matched against the groups once,
//! when it is first seen, and a group against the known series once, when it is new: in slices, between which samples
//! are routed as ever, because a costly filter takes seconds on millions of series. Filters that take everything are
//! kept apart, so that they cost no entry a series. When the lists hold [`ENTRIES_MAX`] entries a new group is refused
//! and a new series is matched anew for each sample: slower, but right. Pure; knows groups only by number.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::anywhere::{Anywhere, Group};
use super::filter::Filter;
use crate::model::series::SeriesDirectory;
use crate::model::{Series, SeriesId};

/// Most (series, group) pairs kept: 32 MiB.
pub(crate) const ENTRIES_MAX: usize = 8 << 20;
/// Series with this number and above are not kept: 32 bytes for each below it, 256 MiB at most.
const LISTED_SERIES_MAX: usize = 8 << 20;

/// The number of a group, its place in the hub's table.
pub(crate) type GroupId = u32;

/// Where each series goes.
pub(crate) struct Routes {
    directory: Arc<dyn SeriesDirectory>,
    lists: Vec<List>,
    entries: usize,
    entries_max: usize,
    by_server: HashMap<Uuid, OfServer>,
    /// Groups that name no server but have another condition.
    anywhere: Anywhere,
    /// Groups without any condition.
    everything: Vec<GroupId>,
    /// The one new group that has not been matched against all known series.
    matching: Option<Matching>,
    /// The series last asked for that could not be kept.
    unlisted: List,
}

/// A new group on its way past the known series.
struct Matching {
    group: Group,
    /// The place of the server at hand among those the filter names.
    server: usize,
    /// The place of the next series: of the server at hand, or of all when the filter names no server.
    next: usize,
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
    groups: Vec<Group>,
}

/// Where one sample goes.
pub(crate) struct Route<'a> {
    pub(crate) series: &'a Series,
    groups: &'a [GroupId],
    everything: &'a [GroupId],
}

/// The lists are full, so no further filter can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Route<'_> {
    pub(crate) fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.groups.iter().chain(self.everything).copied()
    }
}

impl Routes {
    pub(crate) fn new(directory: Arc<dyn SeriesDirectory>, entries_max: usize) -> Self {
        Self {
            directory,
            lists: Vec::new(),
            entries: 0,
            entries_max,
            by_server: HashMap::new(),
            anywhere: Anywhere::default(),
            everything: Vec::new(),
            matching: None,
            unlisted: List::default(),
        }
    }

    /// Where samples of this series go; `None` when the catalog does not know it.
    #[inline]
    pub(crate) fn of(&mut self, id: SeriesId) -> Option<Route<'_>> {
        let index = id.0 as usize;
        let is_listed = self.lists.get(index).is_some_and(|list| list.series.is_some()) || self.learn(id)?;
        let list = if is_listed { &self.lists[index] } else { &self.unlisted };
        let series = list.series.as_deref()?;
        Some(Route { series, groups: &list.groups, everything: &self.everything })
    }

    /// Whether the conditions of any group hold for the series, which need not be known; whose it is is not looked at.
    pub(crate) fn may_mean(&self, series: &Series) -> bool {
        let of_server = self.by_server.get(&series.server_id).into_iter().flat_map(|of_server| &of_server.groups);
        let mut candidates = of_server.chain(self.anywhere.candidates(&series.identity));
        !self.everything.is_empty() || candidates.any(|(_, filter)| filter.matches(series))
    }

    /// Begins a new group, which is complete once [`Routes::match_some`] says so. One at a time.
    pub(crate) fn add(&mut self, group: GroupId, filter: &Arc<Filter>) -> Result<(), Full> {
        debug_assert!(self.matching.is_none(), "the group before is complete");
        if filter.is_everything() {
            self.everything.push(group);
            return Ok(());
        }
        if self.entries >= self.entries_max {
            return Err(Full);
        }
        self.matching = Some(Matching { group: (group, Arc::clone(filter)), server: 0, next: 0 });
        Ok(())
    }

    /// Matches the new group, if there is one, against some known series, in about this many steps. Returns whether
    /// none is left.
    pub(crate) fn match_some(&mut self, steps_max: usize) -> bool {
        let Some(mut matching) = self.matching.take() else { return true };
        let filter = &matching.group.1;
        let series_max = (steps_max / filter.steps()).max(1);
        let is_complete = if filter.servers().is_empty() {
            self.match_anywhere(&mut matching, series_max)
        } else {
            self.match_of_servers(&mut matching, series_max)
        };
        if !is_complete {
            self.matching = Some(matching);
        }
        is_complete
    }

    fn match_anywhere(&mut self, matching: &mut Matching, series_max: usize) -> bool {
        let end = self.lists.len().min(matching.next + series_max);
        for list in &mut self.lists[matching.next..end] {
            self.entries += usize::from(list.admit(&matching.group, self.directory.as_ref()));
        }
        matching.next = end;
        let is_complete = end == self.lists.len();
        if is_complete {
            self.anywhere.push(matching.group.clone());
        }
        is_complete
    }

    fn match_of_servers(&mut self, matching: &mut Matching, series_max: usize) -> bool {
        let mut left = series_max;
        while let Some(server) = matching.group.1.servers().get(matching.server) {
            let of_server = self.by_server.entry(*server).or_default();
            let end = of_server.known.len().min(matching.next + left);
            for id in &of_server.known[matching.next..end] {
                let list = &mut self.lists[id.0 as usize];
                self.entries += usize::from(list.admit(&matching.group, self.directory.as_ref()));
            }
            left -= end - matching.next;
            matching.next = end;
            if end < of_server.known.len() {
                return false;
            }
            of_server.groups.push(matching.group.clone());
            (matching.server, matching.next) = (matching.server + 1, 0);
        }
        true
    }

    /// Forgets groups everywhere. Walks all the lists, so it is called for many groups at a time.
    pub(crate) fn remove(&mut self, is_gone: impl Fn(GroupId) -> bool) {
        self.everything.retain(|group| !is_gone(*group));
        self.anywhere.retain(|group| !is_gone(group));
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

    /// Unlearns the series of a server whose owner or labels changed: each is matched anew when it is next met.
    pub(crate) fn unlearn(&mut self, server_id: Uuid) {
        let Some(of_server) = self.by_server.get_mut(&server_id) else { return };
        for id in of_server.known.drain(..) {
            let list = std::mem::take(&mut self.lists[id.0 as usize]);
            self.entries -= list.groups.len();
        }
        if let Some(matching) = &mut self.matching
            && matching.group.1.servers().get(matching.server) == Some(&server_id)
        {
            // They come to the end of the server's series once more, and so before it.
            matching.next = 0;
        }
        if self.unlisted.series.as_ref().is_some_and(|series| series.server_id == server_id) {
            self.unlisted = List::default();
        }
    }

    /// The groups whose filter lets events of this server through.
    pub(crate) fn of_event(&self, server_id: Uuid) -> impl Iterator<Item = GroupId> {
        let of_server = self.by_server.get(&server_id).into_iter().flat_map(|of_server| &of_server.groups);
        let directory = self.directory.as_ref();
        let reached = move |(_, filter): &&Group| filter.admits_event(server_id, directory);
        let groups = of_server.chain(self.anywhere.iter()).filter(reached).map(|(group, _)| *group);
        groups.chain(self.everything.iter().copied())
    }

    /// Looks a series up for the first time. Returns whether it has a list from now on.
    #[cold]
    fn learn(&mut self, id: SeriesId) -> Option<bool> {
        let series = self.directory.series(id)?;
        let of_server = self.by_server.entry(series.server_id).or_default();
        let passed = self.matching.as_ref().filter(|matching| matching.has_passed(id)).map(|matching| &matching.group);
        let candidates = of_server.groups.iter().chain(self.anywhere.candidates(&series.identity)).chain(passed);
        let groups: Vec<_> = candidates
            .filter(|(_, filter)| filter.admits(&series, self.directory.as_ref()))
            .map(|(group, _)| *group)
            .collect();
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

impl Matching {
    /// Whether the place of this series is behind it. What is learned of a server goes to the end of its series, and so
    /// is still to come.
    fn has_passed(&self, id: SeriesId) -> bool {
        self.group.1.servers().is_empty() && (id.0 as usize) < self.next
    }
}

impl List {
    fn admit(&mut self, (group, filter): &Group, directory: &dyn SeriesDirectory) -> bool {
        let admits = self.series.as_ref().is_some_and(|series| filter.admits(series, directory));
        if admits {
            self.groups.push(*group);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matching::fixtures::{directory, pairs};
    use crate::model::Reach;

    fn filter(of: &[(&str, &str)]) -> Arc<Filter> {
        Arc::new(Filter::parse(&pairs(of), Reach::everything()).unwrap())
    }

    fn groups(routes: &mut Routes, series: u32) -> Option<Vec<GroupId>> {
        routes.of(SeriesId(series)).map(|route| route.groups().collect())
    }

    /// A new group, matched to the end.
    fn add(routes: &mut Routes, group: GroupId, of: &[(&str, &str)]) -> Result<(), Full> {
        routes.add(group, &filter(of))?;
        while !routes.match_some(1) {}
        Ok(())
    }

    const SERVER_1: &str = "00000000-0000-0000-0000-000000000001";
    const SERVERS_3_AND_1: &str = "00000000-0000-0000-0000-000000000003,00000000-0000-0000-0000-000000000001";

    const CONDITIONS: &[(&str, &str)] =
        &[("metric_type", "c*"), ("server_id", SERVER_1), ("server_id", SERVERS_3_AND_1)];

    proptest! {
        #[test]
        fn a_group_that_is_matched_in_slices_sees_every_series_once_whenever_it_is_learned_and_unlearned(
            conditions in prop::sample::select(CONDITIONS),
            learned in prop::collection::vec((0..40_u32, any::<bool>(), prop::option::of(0..10_u128)), 0..80),
        ) {
            let filter = filter(&[conditions]);
            let mut routes = Routes::new(Arc::new(directory()), 1000);
            let (before, during) = learned.split_at(learned.len() / 2);
            before.iter().for_each(|(id, ..)| drop(groups(&mut routes, *id)));
            routes.add(7, &filter).unwrap();
            for (id, is_slice, unlearned) in during {
                groups(&mut routes, *id);
                if *is_slice {
                    routes.match_some(1);
                }
                if let Some(server) = unlearned {
                    routes.unlearn(Uuid::from_u128(*server));
                }
            }
            while !routes.match_some(1) {}
            let mut entries = 0;
            for series in directory().0 {
                let expected = if filter.matches(&series) { vec![7] } else { vec![] };
                entries += expected.len();
                prop_assert_eq!(groups(&mut routes, series.id.0), Some(expected), "series {}", series.id.0);
            }
            prop_assert_eq!(routes.entries, entries);
        }
    }

    const TEXTS: &[&str] = &["", "cpu", "disk", "cpu,disk", "user", "user,free", "u*", "*", "nothing", "used,*e"];

    proptest! {
        #[test]
        fn a_series_met_later_goes_to_all_groups_that_mean_it_and_to_no_others(
            filters in prop::collection::vec((prop::sample::select(TEXTS), prop::sample::select(TEXTS)), 0..12),
            gone in 0..12_u32,
        ) {
            let mut routes = Routes::new(Arc::new(directory()), 1000);
            let filters: Vec<_> =
                filters.iter().map(|(kind, name)| filter(&[("metric_type", kind), ("metric_name", name)])).collect();
            for (group, filter) in filters.iter().enumerate() {
                routes.add(group as GroupId, filter).unwrap();
                while !routes.match_some(1) {}
            }
            routes.remove(|group| group == gone);
            for series in directory().0 {
                let means = |(group, filter): (usize, &Arc<Filter>)| {
                    (group as GroupId != gone && filter.matches(&series)).then_some(group as GroupId)
                };
                let expected: Vec<_> = filters.iter().enumerate().filter_map(means).collect();
                let mut found = groups(&mut routes, series.id.0).unwrap();
                found.sort_unstable();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_group_sees_series_known_before_it_and_after_it() {
        let mut routes = Routes::new(Arc::new(directory()), 100);
        assert_eq!(groups(&mut routes, 0), Some(vec![]));
        add(&mut routes, 7, &[("metric_type", "cpu")]).unwrap();
        add(&mut routes, 8, &[("server_id", SERVER_1)]).unwrap();
        add(&mut routes, 9, &[]).unwrap();
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
        add(&mut routes, 1, &[("metric_type", "cpu")]).unwrap();
        for _ in 0..2 {
            assert_eq!(groups(&mut routes, 0), Some(vec![1]));
            assert_eq!(groups(&mut routes, 1), Some(vec![1]));
            assert_eq!(groups(&mut routes, 2), Some(vec![]));
        }
        assert_eq!(routes.entries, 1);
        assert_eq!(add(&mut routes, 2, &[("metric_type", "disk")]), Err(Full));
        assert_eq!(add(&mut routes, 3, &[]), Ok(()), "what takes everything costs no entries");
    }
}

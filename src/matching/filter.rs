//! What a subscriber wants to see: conditions on the server, the type, the name and the labels of a series; and whose
//! servers they may see at all.
//!
//! All conditions must hold; within one condition any member will do. Two filters that ask for the same are equal, so
//! that their subscribers can be served together. Knows nothing of queues or sockets.

use uuid::Uuid;

use crate::model::{Reach, Series, SeriesDirectory, TextSet};

/// Most members of all conditions of one filter together.
const FILTER_MEMBERS_MAX: usize = 256;
/// Most bytes of all values of one filter together.
const FILTER_BYTES_MAX: usize = 8 * 1024;
/// Most labels one filter may speak of.
const FILTER_LABELS_MAX: usize = 16;

const LABEL_PREFIX: &str = "label.";

/// Why a filter cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("the filter names {members} values, at most {FILTER_MEMBERS_MAX} are allowed")]
    TooManyMembers { members: usize },
    #[error("the filter is {bytes} bytes long, at most {FILTER_BYTES_MAX} are allowed")]
    TooLong { bytes: usize },
    #[error("the filter names {labels} labels, at most {FILTER_LABELS_MAX} are allowed")]
    TooManyLabels { labels: usize },
    #[error("a label filter lacks the name of its label: write label.<name>=<value>")]
    NamelessLabel,
}

/// The conditions a series must meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Of whoever subscribed: other servers do not exist for them.
    reach: Reach,
    /// Sorted; empty means any server.
    servers: Box<[Uuid]>,
    metric_type: Option<TextSet>,
    metric_name: Option<TextSet>,
    /// Sorted by label name.
    labels: Box<[(Box<str>, TextSet)]>,
}

/// What a filter asks for, text by text. Where nothing is listed anything will do.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    pub servers: Vec<Uuid>,
    pub metric_type: Vec<String>,
    pub metric_name: Vec<String>,
    pub labels: Vec<(String, Vec<String>)>,
}

impl Filter {
    /// # Errors
    /// When a bound of this module is passed, or a label has no name.
    pub fn new(conditions: &Conditions, reach: Reach) -> Result<Self, FilterError> {
        let Conditions { servers, metric_type, metric_name, labels } = conditions;
        let texts = || metric_type.iter().chain(metric_name).chain(labels.iter().flat_map(|(_, values)| values));
        let names: Vec<&str> = labels.iter().map(|(name, _)| name.as_str()).collect();
        let bytes = texts().map(String::len).chain(names.iter().map(|name| name.len())).sum();
        check_bounds(bytes, servers.len() + texts().count(), &names)?;
        let (mut servers, mut of_labels) = (servers.clone(), Vec::new());
        servers.sort_unstable();
        servers.dedup();
        let set = |texts: &[String]| (!texts.is_empty()).then(|| TextSet::new(texts.iter().map(String::as_str)));
        for (name, values) in labels {
            of_labels.extend(set(values).map(|values| (Box::from(name.as_str()), values)));
        }
        of_labels.sort_unstable_by(|(left, _): &(Box<str>, _), (right, _)| left.cmp(right));
        Ok(Self {
            reach,
            servers: servers.into_boxed_slice(),
            metric_type: set(metric_type),
            metric_name: set(metric_name),
            labels: of_labels.into_boxed_slice(),
        })
    }

    /// Reads the filter out of decoded query pairs. Keys it does not know are ignored, and so are empty values.
    ///
    /// # Errors
    /// When a bound of this module is passed, or a label has no name.
    pub fn parse(pairs: &[(String, String)], reach: Reach) -> Result<Self, FilterError> {
        let mut labels: Vec<&str> = pairs.iter().filter_map(|(key, _)| key.strip_prefix(LABEL_PREFIX)).collect();
        labels.sort_unstable();
        labels.dedup();
        let (bytes, members) = sizes(pairs);
        check_bounds(bytes, members, &labels)?;
        let of_label = |name: &&str| {
            let set = text_set(pairs, &format!("{LABEL_PREFIX}{name}"))?;
            Some((Box::from(*name), set))
        };
        Ok(Self {
            reach,
            servers: servers(pairs),
            metric_type: text_set(pairs, "metric_type"),
            metric_name: text_set(pairs, "metric_name"),
            labels: labels.iter().filter_map(of_label).collect(),
        })
    }

    /// Whether the series meets the conditions and its server can be reached.
    pub(crate) fn admits(&self, series: &Series, directory: &dyn SeriesDirectory) -> bool {
        self.matches(series) && directory.is_within(series.server_id, &self.reach)
    }

    /// The same for something other than a metric that happened on this server: only the server counts then.
    pub(crate) fn admits_event(&self, server_id: Uuid, directory: &dyn SeriesDirectory) -> bool {
        self.names(server_id) && directory.is_within(server_id, &self.reach)
    }

    /// Whether the series meets the conditions; who can reach its server is not looked at.
    pub fn matches(&self, series: &Series) -> bool {
        let identity = &series.identity;
        self.names(series.server_id)
            && self.metric_type.as_ref().is_none_or(|set| set.contains(identity.metric_type()))
            && self.metric_name.as_ref().is_none_or(|set| set.contains(identity.metric_name()))
            && self
                .labels
                .iter()
                .all(|(name, set)| identity.labels().get(name).is_some_and(|value| set.contains(value)))
    }

    /// The types and the names that are asked for, each a text, or `None` for any; `None` where there are patterns.
    pub(super) fn literals(&self) -> Option<[Vec<Option<&str>>; 2]> {
        Some([literals(self.metric_type.as_ref())?, literals(self.metric_name.as_ref())?])
    }

    /// How many steps [`Filter::admits`] takes at most.
    pub(crate) fn steps(&self) -> usize {
        let sets = self.metric_type.iter().chain(&self.metric_name).chain(self.labels.iter().map(|(_, set)| set));
        1 + usize::from(!self.reach.is_everything()) + sets.map(TextSet::steps).sum::<usize>()
    }

    fn names(&self, server_id: Uuid) -> bool {
        self.servers.is_empty() || self.servers.binary_search(&server_id).is_ok()
    }

    /// The servers asked for, each once; empty means any.
    pub fn servers(&self) -> &[Uuid] {
        &self.servers
    }

    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Whether every series of every server matches, and every server can be reached.
    pub fn is_everything(&self) -> bool {
        self.reach.is_everything() && self.is_unconditional()
    }

    /// Whether every series of every server matches.
    pub fn is_unconditional(&self) -> bool {
        let Self { reach: _, servers, metric_type, metric_name, labels } = self;
        servers.is_empty() && metric_type.is_none() && metric_name.is_none() && labels.is_empty()
    }
}

fn literals(set: Option<&TextSet>) -> Option<Vec<Option<&str>>> {
    match set {
        Some(set) => Some(set.literals()?.iter().map(|text| Some(text.as_ref())).collect()),
        None => Some(vec![None]),
    }
}

/// The values given for `key`: it may appear several times, and every value may be a list.
fn values<'a>(pairs: &'a [(String, String)], key: &str) -> impl Iterator<Item = &'a str> {
    let of_key = move |(name, value): &'a (String, String)| (name == key).then_some(value.as_str());
    pairs.iter().filter_map(of_key).flat_map(|value| value.split(',')).filter(|value| !value.is_empty())
}

/// What is not a UUID is passed over, and a condition without any UUID is none: clients of system 002 rely on it.
fn servers(pairs: &[(String, String)]) -> Box<[Uuid]> {
    let mut servers: Vec<Uuid> =
        values(pairs, "server_id").filter_map(|text| Uuid::try_parse(text.trim()).ok()).collect();
    servers.sort_unstable();
    servers.dedup();
    servers.into_boxed_slice()
}

fn text_set(pairs: &[(String, String)], key: &str) -> Option<TextSet> {
    let mut members = values(pairs, key).peekable();
    members.peek()?;
    Some(TextSet::new(members))
}

/// Bytes and members of all conditions.
fn sizes(pairs: &[(String, String)]) -> (usize, usize) {
    let is_condition =
        |key: &str| matches!(key, "server_id" | "metric_type" | "metric_name") || key.starts_with(LABEL_PREFIX);
    let (mut bytes, mut members) = (0, 0);
    for (key, value) in pairs.iter().filter(|(key, _)| is_condition(key)) {
        bytes += key.len() + value.len();
        members += value.split(',').count();
    }
    (bytes, members)
}

fn check_bounds(bytes: usize, members: usize, labels: &[&str]) -> Result<(), FilterError> {
    if bytes > FILTER_BYTES_MAX {
        return Err(FilterError::TooLong { bytes });
    }
    if members > FILTER_MEMBERS_MAX {
        return Err(FilterError::TooManyMembers { members });
    }
    if labels.len() > FILTER_LABELS_MAX {
        return Err(FilterError::TooManyLabels { labels: labels.len() });
    }
    if labels.contains(&"") {
        return Err(FilterError::NamelessLabel);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::fixtures::{directory, pairs, series};

    const ONE: &str = "00000000-0000-0000-0000-000000000001";

    fn filter(of: &[(&str, &str)]) -> Filter {
        Filter::parse(&pairs(of), Reach::everything()).unwrap()
    }

    #[track_caller]
    fn check(of: &[(&str, &str)], expected: bool) {
        let series = series(1, 1, "cpu_usage", "cpu_total", &[("core", "0"), ("host", "web-7")]);
        assert_eq!(filter(of).matches(&series), expected, "{of:?}");
    }

    #[test]
    fn every_condition_must_hold_and_any_member_of_it_will_do() {
        check(&[], true);
        check(&[("_t", "17"), ("metric_type", "")], true);
        check(&[("server_id", ONE), ("metric_type", "disk*,cpu*"), ("metric_name", "*tot*")], true);
        check(&[("server_id", ONE), ("metric_type", "disk*")], false);
        check(&[("metric_type", "disk_usage"), ("metric_type", "cpu_usage")], true);
        check(&[("label.core", "1,0"), ("label.host", "web-*")], true);
        check(&[("label.core", "1")], false);
        check(&[("label.gone", "*")], false);
    }

    #[test]
    fn a_filter_made_of_texts_is_the_one_its_query_spells() {
        let conditions = Conditions {
            servers: vec![Uuid::from_u128(1)],
            metric_type: vec!["disk*".to_owned(), "cpu*".to_owned()],
            metric_name: Vec::new(),
            labels: vec![("host".to_owned(), vec!["web-*".to_owned()]), ("core".to_owned(), vec!["0".to_owned()])],
        };
        let query = [("server_id", ONE), ("metric_type", "cpu*,disk*"), ("label.core", "0"), ("label.host", "web-*")];
        assert_eq!(Filter::new(&conditions, Reach::everything()).unwrap(), filter(&query));
        let comma = Conditions { metric_name: vec!["a,b".to_owned()], ..Conditions::default() };
        let comma = Filter::new(&comma, Reach::everything()).unwrap();
        assert!(comma.matches(&series(1, 1, "t", "a,b", &[])) && !comma.matches(&series(1, 1, "t", "a", &[])));
    }

    #[test]
    fn an_invalid_server_is_no_condition() {
        check(&[("server_id", "nonsense")], true);
        check(&[("server_id", &format!("nonsense,{ONE}"))], true);
        check(&[("server_id", "00000000-0000-0000-0000-000000000002,nonsense")], false);
    }

    #[test]
    fn events_look_at_the_server_alone() {
        let filter = filter(&[("server_id", ONE), ("metric_type", "disk"), ("label.a", "b")]);
        assert!(filter.admits_event(Uuid::from_u128(1), &directory()));
        assert!(!filter.admits_event(Uuid::from_u128(2), &directory()));
    }

    #[test]
    fn what_cannot_be_reached_matches_no_filter() {
        let (directory, own) = (directory(), Uuid::from_u128(1));
        let filter = Filter::parse(&[], Reach::server(own)).unwrap();
        assert!(!filter.is_everything() && filter.is_unconditional());
        assert!(filter.admits(&directory.0[4], &directory) && !filter.admits(&directory.0[8], &directory));
        assert!(filter.admits_event(own, &directory) && !filter.admits_event(Uuid::from_u128(2), &directory));
        let named = Filter::parse(&pairs(&[("server_id", ONE)]), Reach::server(Uuid::from_u128(2))).unwrap();
        assert!(!named.admits(&directory.0[4], &directory), "asking for it does not help");
        assert_ne!(filter, Filter::parse(&[], Reach::everything()).unwrap(), "they are served apart");
    }

    #[test]
    fn filters_that_ask_for_the_same_are_equal() {
        let one = filter(&[("label.b", "2"), ("label.a", "1,0"), ("metric_type", "x")]);
        let two = filter(&[("metric_type", "x"), ("label.a", "0"), ("label.b", "2"), ("label.a", "1")]);
        assert_eq!(one, two);
        assert!(filter(&[("server_id", "nonsense"), ("other", "x")]).is_everything());
    }

    #[test]
    fn a_filter_beyond_its_bounds_is_refused_with_the_reason() {
        let refused = |of: &[(&str, &str)]| Filter::parse(&pairs(of), Reach::everything()).unwrap_err();
        assert_eq!(refused(&[("metric_type", &"a,".repeat(256))]), FilterError::TooManyMembers { members: 257 });
        assert_eq!(refused(&[("metric_name", &"a".repeat(8192))]), FilterError::TooLong { bytes: 8203 });
        assert_eq!(refused(&[("label.", "a")]), FilterError::NamelessLabel);
        let labels: Vec<_> = (0..17).map(|number| (format!("label.{number}"), "x".to_owned())).collect();
        assert_eq!(Filter::parse(&labels, Reach::everything()), Err(FilterError::TooManyLabels { labels: 17 }));
    }
}

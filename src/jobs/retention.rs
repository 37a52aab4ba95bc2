//! How long what is kept: which times of a series have expired. Pure; the time is handed in.
//!
//! Each form of the data has its own age: samples as they came (raw), minutes, hours. What begins before the horizon of
//! its form has expired. Horizons lie on the edges of rows: an hour for raw and minutes, a day for hours.

use std::time::Duration;

use crate::model::{Identity, Micros, Resolution, TextSet};
use crate::rollup;

const DAY: Duration = Duration::from_secs(86_400);

/// How long each form of the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    pub raw: Duration,
    pub minutes: Duration,
    pub hours: Duration,
}

/// Times for some series; `*` in a text stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    metric_type: TextSet,
    metric_name: TextSet,
    hostname: TextSet,
    is_for_all_hosts: bool,
    tiers: Tiers,
}

/// What is kept how long, for every series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The first one that fits counts.
    rules: Vec<Rule>,
    /// For series that no rule is for.
    others: Tiers,
}

/// The first moments that have not expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizons {
    pub raw: Micros,
    pub minutes: Micros,
    pub hours: Micros,
}

/// 30 days, a year, five years.
impl Default for Policy {
    fn default() -> Self {
        Self::new(Tiers { raw: 30 * DAY, minutes: 365 * DAY, hours: 1_826 * DAY }, Vec::new())
    }
}

impl Rule {
    pub fn new(metric_type: &str, metric_name: &str, hostname: &str, tiers: Tiers) -> Self {
        let is_for_all_hosts = hostname == "*";
        let [metric_type, metric_name, hostname] =
            [metric_type, metric_name, hostname].map(|text| TextSet::new([text]));
        Self { metric_type, metric_name, hostname, is_for_all_hosts, tiers }
    }
}

impl Policy {
    pub fn new(others: Tiers, rules: Vec<Rule>) -> Self {
        Self { rules, others }
    }

    /// How long the data of a series are kept.
    pub fn tiers(&self, metric_type: &str, metric_name: &str, hostname: &str) -> Tiers {
        let fits = |rule: &&Rule| {
            rule.metric_type.contains(metric_type)
                && rule.metric_name.contains(metric_name)
                && rule.hostname.contains(hostname)
        };
        self.rules.iter().find(fits).map_or(self.others, |rule| rule.tiers)
    }

    /// Samples of the series before this are not kept as they came, and may be rolled up already.
    pub fn raw_from(&self, identity: &Identity, hostname: &str, now: Micros) -> Micros {
        self.tiers(identity.metric_type(), identity.metric_name(), hostname).horizons(now).raw
    }

    /// What is before this has expired for the series in every form. On which host it is does not matter: where the rules
    /// tell hosts apart, the one that keeps the least counts.
    pub fn kept_from(&self, identity: &Identity, now: Micros) -> Micros {
        let fits = |rule: &&Rule| {
            rule.metric_type.contains(identity.metric_type()) && rule.metric_name.contains(identity.metric_name())
        };
        let mut kept_from = Micros(i64::MIN);
        for rule in self.rules.iter().filter(fits) {
            kept_from = kept_from.max(rule.tiers.horizons(now).kept_from());
            if rule.is_for_all_hosts {
                return kept_from;
            }
        }
        kept_from.max(self.others.horizons(now).kept_from())
    }

    /// What is before these has expired for every series.
    pub fn earliest(&self, now: Micros) -> Horizons {
        self.fold(now, Micros::min)
    }

    /// What is not before these has expired for none.
    pub fn latest(&self, now: Micros) -> Horizons {
        self.fold(now, Micros::max)
    }

    fn fold(&self, now: Micros, choose: fn(Micros, Micros) -> Micros) -> Horizons {
        let of_rules = self.rules.iter().map(|rule| rule.tiers.horizons(now));
        of_rules.fold(self.others.horizons(now), |left, right| Horizons {
            raw: choose(left.raw, right.raw),
            minutes: choose(left.minutes, right.minutes),
            hours: choose(left.hours, right.hours),
        })
    }
}

impl Horizons {
    /// What is before this has expired in every form.
    pub fn kept_from(self) -> Micros {
        self.raw.min(self.minutes).min(self.hours)
    }
}

impl Tiers {
    pub fn horizons(self, now: Micros) -> Horizons {
        let before = |span: Duration, row_micros: i64| {
            let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            rollup::start(Micros(now.0.saturating_sub(span)), row_micros)
        };
        let (hour, day) = (Resolution::Minute.row_micros(), Resolution::Hour.row_micros());
        Horizons { raw: before(self.raw, hour), minutes: before(self.minutes, hour), hours: before(self.hours, day) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Labels;

    fn days(raw: u32, minutes: u32, hours: u32) -> Tiers {
        Tiers { raw: raw * DAY, minutes: minutes * DAY, hours: hours * DAY }
    }

    fn policy() -> Policy {
        let rules = vec![
            Rule::new("cpu", "*", "web-*", days(1, 7, 365)),
            Rule::new("*", "load*", "*", days(2, 2, 2)),
            Rule::new("cpu", "load", "web-1", days(9, 9, 9)),
        ];
        Policy::new(days(30, 60, 90), rules)
    }

    fn time(text: &str) -> Micros {
        Micros::parse_rfc3339(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_first_rule_that_fits_type_name_and_hostname_counts() {
        for (metric_type, metric_name, hostname, expected) in [
            ("cpu", "load", "web-1", days(1, 7, 365)),
            ("cpu", "load1", "db-1", days(2, 2, 2)),
            ("mem", "load", "web-1", days(2, 2, 2)),
            ("mem", "free", "web-1", days(30, 60, 90)),
        ] {
            assert_eq!(policy().tiers(metric_type, metric_name, hostname), expected, "{metric_type}/{metric_name}");
        }
    }

    #[test]
    fn horizons_lie_on_the_edges_of_rows() {
        let horizons = days(1, 31, 366).horizons(time("2028-03-01T10:20:30.5Z"));
        assert_eq!(horizons.raw, time("2028-02-29T10:00:00Z"));
        assert_eq!(horizons.minutes, time("2028-01-30T10:00:00Z"));
        assert_eq!(horizons.hours, time("2027-03-01T00:00:00Z"), "a leap year lies between");
    }

    #[test]
    fn raw_is_asked_for_by_identity() {
        let identity = Identity::new("cpu", "usage", Labels::default()).unwrap();
        let now = time("2028-03-01T10:20:30Z");
        assert_eq!(policy().raw_from(&identity, "web-7", now), time("2028-02-29T10:00:00Z"));
        assert_eq!(policy().raw_from(&identity, "db-7", now), time("2028-01-31T10:00:00Z"));
    }

    #[test]
    fn what_is_kept_in_no_form_is_told_without_the_host_and_never_too_late() {
        let now = time("2028-03-01T10:20:30Z");
        let kept_from =
            |metric_type, name| policy().kept_from(&Identity::new(metric_type, name, Labels::default()).unwrap(), now);
        assert_eq!(kept_from("mem", "free"), time("2027-12-02T00:00:00Z"), "hours are kept longest");
        assert_eq!(kept_from("mem", "load1"), time("2028-02-28T00:00:00Z"));
        assert_eq!(kept_from("cpu", "usage"), time("2027-12-02T00:00:00Z"), "some host may keep less than others");
    }

    proptest! {
        #[test]
        fn every_series_expires_between_the_earliest_and_the_latest_horizon(
            metric_type in "[cm]pu", metric_name in "(load|free)", hostname in "(web|db)-1", now in any::<i64>(),
        ) {
            let (policy, now) = (policy(), Micros(now));
            let (earliest, latest) = (policy.earliest(now), policy.latest(now));
            let of_series = policy.tiers(&metric_type, &metric_name, &hostname).horizons(now);
            prop_assert!(earliest.raw <= of_series.raw && of_series.raw <= latest.raw);
            prop_assert!(earliest.minutes <= of_series.minutes && of_series.minutes <= latest.minutes);
            prop_assert!(earliest.hours <= of_series.hours && of_series.hours <= latest.hours);
            prop_assert!(of_series.raw <= now);
            let identity = Identity::new(&metric_type, &metric_name, Labels::default()).unwrap();
            prop_assert!(policy.kept_from(&identity, now) >= of_series.kept_from());
        }
    }
}

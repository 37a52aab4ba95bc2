//! All keys, in the order in which they are shown.

mod access;
mod alerts;
mod dialects;
mod engine;
mod front;
mod keeping;
mod people;
mod reading;
mod work;

use super::key::Key;

pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    front::PLACE
        .iter()
        .chain(front::HTTP)
        .chain(access::ACCESS)
        .chain(people::PEOPLE)
        .chain(alerts::ALERTS)
        .chain(engine::DATABASE)
        .chain(engine::ADMIT)
        .chain(engine::JOURNAL)
        .chain(work::JOBS)
        .chain(keeping::RETENTION)
        .chain(dialects::INFLUX)
        .chain(dialects::PROMETHEUS)
        .chain(dialects::OTLP)
        .chain(dialects::GRAPHITE)
        .chain(dialects::STATSD)
        .chain(reading::KEYS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::draft::Draft;
    use super::*;

    #[test]
    fn every_default_is_accepted() {
        let mut draft = Draft::default();
        for key in keys().filter(|key| !key.default.is_empty()) {
            assert!(key.apply(&mut draft, key.default), "{}", key.path);
        }
    }

    #[test]
    fn every_field_has_a_key() {
        let samples = [
            ("dev", "true"),
            ("listen", "127.0.0.1:1"),
            ("anonymous", "read, ingest"),
            ("secret_key", "a"),
            ("registration", "invite"),
            ("bootstrap.admin_email", "a@b"),
            ("bootstrap.admin_password", "12345678"),
            ("tls.certificate", "a"),
            ("tls.key", "b"),
            ("smtp.host", "mail"),
            ("smtp.user", "a"),
            ("smtp.password", "a"),
            ("smtp.from", "a@b"),
            ("telegram.bot_token", "1:a"),
            ("alerts.judge_elsewhere", "true"),
            ("alerts.private_targets", "true"),
            ("alerts.ca", "a"),
            ("database.url", "postgres://a"),
            ("ingest_secret", "a"),
            ("admit.samples_per_second", "1"),
            ("window.past", "1d"),
            ("graphite.listen", "127.0.0.1:2"),
            ("statsd.listen", "127.0.0.1:3"),
            ("retention.overrides", "cpu/*@*=1d,7d,365d"),
        ];
        let mut draft = Draft::default();
        for key in keys() {
            let sample = samples.iter().find(|(path, _)| *path == key.path).map_or(key.default, |(_, sample)| sample);
            assert!(key.apply(&mut draft, sample), "{}", key.path);
        }
        let untouched = [": 0,", ": 0ns,", ": None,", ": \"\",", ": [],", ": false,"];
        let text = format!("{draft:#?}");
        let left: Vec<&str> = text.lines().filter(|line| untouched.iter().any(|end| line.ends_with(end))).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn every_key_says_what_it_is_for() {
        for key in keys() {
            assert!(key.purpose.ends_with('.'), "{}", key.path);
            assert!(key.risk.is_empty() || key.risk.ends_with('.'), "{}", key.path);
        }
    }

    #[test]
    fn no_two_keys_share_a_name_or_a_variable() {
        let names: BTreeSet<String> = keys().map(Key::variable).collect();
        assert_eq!(names.len(), keys().count());
        let ends = ["url", "secret", "secret_key", "password", "token"];
        let is_secret = |key: &Key| ends.iter().any(|end| key.path.ends_with(end));
        assert!(keys().all(|key| key.secret == is_secret(key)), "secrets are marked");
    }
}

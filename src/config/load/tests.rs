//! Precedence, defaults, and everything that can be wrong, told at once.

use std::io::Write;
use std::time::Duration;

use super::*;
use crate::config::{DatabaseUrl, LogFormat, Mode};

/// Long and random enough for production.
const SECRET: &str = "f1d2d2f924e986ac86fdf7b36c94bcdf32beec15";

fn flags(settings: &[(&str, &str)]) -> Flags {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Flags { file: None, settings: settings.iter().map(own).collect() }
}

fn dev() -> Flags {
    flags(&[("dev", "true")])
}

/// A file that is gone with the test.
#[derive(Debug)]
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("millrace-config-{}-{name}.toml", std::process::id()));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Self(path)
    }

    fn flags(&self, settings: &[(&str, &str)]) -> Flags {
        Flags { file: Some(self.0.clone()), ..flags(settings) }
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

#[test]
fn development_listens_on_loopback_and_needs_nothing() {
    let config = load(&dev(), &Environment::default()).unwrap();
    assert_eq!(config.mode, Mode::Dev { data_dir: "data".into() });
    assert_eq!(config.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.http.body_bytes_max, 32 << 20);
    assert_eq!(config.window.past, Duration::from_secs(1826 * 86_400));
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.tls, None);
}

#[test]
fn production_listens_everywhere_and_needs_a_database() {
    let environment =
        Environment::from([("DATABASE_URL", "postgres://a:b@c/d"), ("PORT", "9000"), ("SECRET_KEY", SECRET)]);
    let config = load(&Flags::default(), &environment).unwrap();
    assert_eq!(config.mode, Mode::Production { database: DatabaseUrl::parse("postgres://a:b@c/d").unwrap() });
    assert_eq!(config.listen, ["0.0.0.0:9000".parse().unwrap()]);

    let problems = load(&Flags::default(), &Environment::default()).unwrap_err();
    assert!(problems.to_string().starts_with("DATABASE_URL is not set; "), "{problems}");
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let file = TestFile::new(
        "precedence",
        "dev = true\n[http]\nconnections_max = 1\n[live]\nsessions_max = 1\n[admit]\nclients_max = 17\n",
    );
    let environment = Environment::from([("MILLRACE_HTTP_CONNECTIONS_MAX", "2"), ("MILLRACE_LIVE_SESSIONS_MAX", "2")]);
    let config = load(&file.flags(&[("http.connections_max", "3")]), &environment).unwrap();
    assert_eq!(config.http.connections_max, 3);
    assert_eq!(config.live.sessions_max, 2);
    assert_eq!(config.admit.clients_max, 17);
    assert_eq!(config.journal.lanes, 2);
}

#[test]
fn our_own_name_of_a_variable_beats_the_plain_one_and_empty_counts_as_not_given() {
    let both = Environment::from([("PORT", "1000"), ("MILLRACE_PORT", "2000")]);
    assert_eq!(load(&dev(), &both).unwrap().listen[0].port(), 2000);
    let empty = Environment::from([("PORT", ""), ("MILLRACE_PORT", "")]);
    assert_eq!(load(&dev(), &empty).unwrap().listen[0].port(), 8080);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_names_and_values() {
    let file = TestFile::new("wrong", "[http]\nbody_byte_max = '1MiB'\nidle_timeout = 75\n");
    let environment = Environment::from([
        ("MILLRACE_JOURNAL_LANES", "0"),
        ("MILLRACE_LOG_LEVL", "info"),
        ("DATABASE_URL", "hunter2@db"),
    ]);
    let problems = load(&file.flags(&[("log.format", "xml"), ("tls.key", "key.pem")]), &environment).unwrap_err();
    let told = problems.to_string();
    for expected in [
        "body_byte_max in ",
        "did you mean http.body_bytes_max?",
        ": \"75\" is not accepted; give a time from 100ms to 1h",
        "MILLRACE_JOURNAL_LANES: \"0\" is not accepted; give a number from 1 to 64",
        "MILLRACE_LOG_LEVL: there is no such setting; did you mean MILLRACE_LOG_LEVEL?",
        "DATABASE_URL: the secret given is not accepted",
        "flag log.format: \"xml\" is not accepted; give text or json",
        "tls.certificate and tls.key do not go together; give both or neither",
        "SECRET_KEY is not set; ",
    ] {
        assert!(told.contains(expected), "{expected} is not in:\n{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!(problems.0.len(), 8, "nothing is told twice: {told}");
}

#[test]
fn production_refuses_secrets_that_can_be_guessed_and_needs_none_where_all_is_open() {
    let url = ("database.url", "postgres://a@b/c");
    for (secret, is_good) in [("hunter2", false), ("change-me-change-me-change-me-change-me", false), (SECRET, true)] {
        let loaded = load(&flags(&[url, ("secret_key", secret)]), &Environment::default());
        assert_eq!(loaded.is_ok(), is_good, "{secret}");
        assert!(
            !format!("{loaded:?}").contains(secret) && !loaded.err().is_some_and(|it| it.to_string().contains(secret))
        );
    }
    assert!(load(&flags(&[url]), &Environment::default()).is_err());
    assert!(load(&flags(&[url, ("anonymous", "all")]), &Environment::default()).is_ok());
    assert!(load(&flags(&[("dev", "true"), ("anonymous", "none")]), &Environment::default()).is_ok(), "one is made");
}

#[test]
fn sizes_that_contradict_each_other_are_refused() {
    let settings = [("dev", "true"), ("http.body_bytes_max", "512MiB"), ("catalog.series_max", "10")];
    let problems = load(&flags(&settings), &Environment::default()).unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
}

#[test]
fn nothing_enters_that_is_older_than_what_is_kept() {
    let past = |settings: &[(&str, &str)]| {
        let all: Vec<_> = [("dev", "true")].iter().chain(settings).copied().collect();
        load(&flags(&all), &Environment::default()).unwrap().window.past.as_secs() / 86_400
    };
    assert_eq!(past(&[("retention.hours", "400d")]), 400);
    assert_eq!(past(&[("retention.hours", "400d"), ("retention.overrides", "cpu/*@*=1d,500d,7d")]), 500);
    assert_eq!(past(&[("window.past", "10d")]), 10);
    assert_eq!(past(&[("window.past", "3650d")]), 1826, "it would be thrown away at once");
}

#[test]
fn overrides_of_retention_are_a_list_in_the_file_and_each_bad_one_is_told() {
    let file = TestFile::new(
        "retention",
        "[retention]\nraw = '24h'\noverrides = ['cpu/*@web-*=1d,7d,365d', 'disk/*@*=2d,3d,4d']\n",
    );
    let config = load(&file.flags(&[("dev", "true")]), &Environment::default()).unwrap();
    assert_eq!(config.retention.others.raw, Duration::from_secs(86_400));
    let hostnames: Vec<&str> = config.retention.overrides.iter().map(|one| one.hostname.as_str()).collect();
    assert_eq!(hostnames, ["web-*", "*"]);

    let settings = [("dev", "true"), ("retention.overrides", "cpu@a=1d,2d,3d,mem/*@*=1d,2d")];
    let problems = load(&flags(&settings), &Environment::default()).unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let missing = Environment::from([("MILLRACE_CONFIG", "/nowhere/millrace.toml")]);
    let told = load(&dev(), &missing).unwrap_err().to_string();
    assert!(told.starts_with("the file /nowhere/millrace.toml cannot be read: "), "{told}");

    let file = TestFile::new("broken", "port = 80\nlisten = [\n");
    let told = load(&file.flags(&[("dev", "true")]), &Environment::default()).unwrap_err().to_string();
    assert!(told.contains("is not TOML, line "), "{told}");
}

#[test]
fn lists_and_words_are_taken_apart() {
    let settings = [
        ("dev", "true"),
        ("listen", "127.0.0.1:1, [::1]:2"),
        ("http.cors_origins", "https://a.example,http://b.example:81"),
        ("log.level", "info,millrace::journal=debug"),
    ];
    let config = load(&flags(&settings), &Environment::default()).unwrap();
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.http.cors_origins, ["https://a.example", "http://b.example:81"]);
    assert_eq!(config.log.level, "info,millrace::journal=debug");
}

#[test]
fn words_that_are_not_what_they_should_be_are_refused() {
    for (key, value) in [
        ("listen", "localhost"),
        ("port", "0"),
        ("port", "70000"),
        ("http.cors_origins", "*,https://a.example"),
        ("http.cors_origins", "a.example"),
        ("log.level", "loud"),
        ("log.level", "millrace[span]=debug"),
        ("dev", "yes"),
    ] {
        let problems = load(&flags(&[("dev", "true"), (key, value)]), &Environment::default()).unwrap_err();
        assert!(problems.to_string().contains(&format!("flag {key}: {value:?} is not accepted")), "{problems}");
    }
}

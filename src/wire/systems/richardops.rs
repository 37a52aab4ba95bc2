//! `RichardOps`: a report of six metrics, with what containers did, what they logged, and what the agent itself took for
//! alarming. Unknown members are kept with the document.

use super::moment;
use super::report::{Happening, Line};
use super::validation::{NO_TIME, Place, Problems, Step};
use crate::model::Micros;
use crate::wire::tree::Value;
use crate::wire::tree::series::{Names, Rule};

pub const RULES: &[Rule] = &[
    Rule { at: "timestamp", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "metrics", metric_type: "host", names: Names::Members, labels: &[] },
    Rule { at: "score", metric_type: "host", names: Names::This("score"), labels: &[] },
    Rule { at: "docker_events", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "logs", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "local_alerts", metric_type: "", names: Names::Nothing, labels: &[] },
    Rule { at: "server_id", metric_type: "", names: Names::Nothing, labels: &[] },
];

/// The kind of event that a local alert is kept as.
pub const LOCAL_ALERT: &str = "local_alert";

const FLOATS: [&str; 3] = ["cpu_usage", "memory_usage", "disk_usage"];
const INTEGERS: [&str; 3] = ["network_rx_bytes_per_sec", "network_tx_bytes_per_sec", "tcp_connections"];

/// A report that has all it must have.
#[derive(Debug, PartialEq)]
pub struct Report {
    pub host: String,
    pub time: Micros,
    pub events: Vec<Happening>,
    pub lines: Vec<Line>,
}

/// # Errors
/// With everything that is wrong.
pub fn read(document: Value<'_>) -> Result<Report, Problems> {
    let mut reader = Reader { problems: Problems::default() };
    let report = reader.report(document);
    report.filter(|_| reader.problems.is_empty()).ok_or(reader.problems)
}

struct Reader {
    problems: Problems,
}

impl Reader {
    fn report(&mut self, document: Value<'_>) -> Option<Report> {
        let document = self.problems.object(document, &[])?;
        let host = self.text(document, &[], "host");
        let time = self.time(document, &[]);
        self.metrics(document);
        for name in ["server_id", "env", "owner_team"] {
            if let Some(value) = document.get(name).filter(|value| !value.is_null()) {
                self.problems.text(value, &[Step::Name(name)]);
            }
        }
        let mut events = self.each(document, "docker_events", Self::event);
        let lines = self.each(document, "logs", Self::line);
        let alerts = self.each(document, "local_alerts", |reader, alert, place| reader.problems.text(alert, place));
        if let Some(score) = self.problems.needed(document, &[], "score") {
            self.problems.number(score, &[Step::Name("score")]);
        }
        let time = time?;
        events.extend(alerts.into_iter().map(|alert| local_alert(alert, time)));
        Some(Report { host: host?, time, events, lines })
    }

    fn metrics(&mut self, document: Value<'_>) {
        const AT: Step = Step::Name("metrics");
        let Some(metrics) = self.problems.needed(document, &[], "metrics") else { return };
        let Some(metrics) = self.problems.object(metrics, &[AT]) else { return };
        for name in FLOATS {
            if let Some(value) = self.problems.needed(metrics, &[AT], name) {
                self.problems.number(value, &[AT, Step::Name(name)]);
            }
        }
        for name in INTEGERS {
            if let Some(value) = self.problems.needed(metrics, &[AT], name) {
                self.problems.integer(value, &[AT, Step::Name(name)]);
            }
        }
    }

    fn event(&mut self, event: Value<'_>, place: Place<'_>) -> Option<Happening> {
        let event = self.problems.object(event, place)?;
        let [kind, action, container, image] =
            ["type", "action", "container", "image"].map(|name| self.text(event, place, name));
        let time = self.time(event, place);
        let attributes = [("container", container?), ("image", image?)];
        let attributes = attributes.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        Some(Happening { time: time?, kind: kind?, severity: "info".to_owned(), title: action?, attributes })
    }

    fn line(&mut self, line: Value<'_>, place: Place<'_>) -> Option<Line> {
        let line = self.problems.object(line, place)?;
        let (source, message) = (self.text(line, place, "container"), self.text(line, place, "message"));
        let time = self.time(line, place);
        Some(Line { time: time?, source: source?, message: message? })
    }

    /// The elements of a list that may be absent, but not null.
    fn each<T>(
        &mut self,
        document: Value<'_>,
        name: &'static str,
        mut read: impl FnMut(&mut Self, Value<'_>, Place<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(list) = document.get(name) else { return Vec::new() };
        let list = self.problems.list(list, &[Step::Name(name)]);
        let element = |(index, value)| read(self, value, &[Step::Name(name), Step::Index(index)]);
        list.into_iter().enumerate().filter_map(element).collect()
    }

    fn text(&mut self, object: Value<'_>, place: Place<'_>, name: &'static str) -> Option<String> {
        let value = self.problems.needed(object, place, name)?;
        self.problems.text(value, &[place, &[Step::Name(name)]].concat())
    }

    fn time(&mut self, object: Value<'_>, place: Place<'_>) -> Option<Micros> {
        let value = self.problems.needed(object, place, "timestamp")?;
        let time = moment::of(value);
        if time.is_none() {
            let place = [place, &[Step::Name("timestamp")]].concat();
            self.problems.add(NO_TIME, &place, value);
        }
        time
    }
}

/// What a local alert of this name adds to the score of a report.
pub fn weight(alert: &str) -> f64 {
    match alert {
        "CPU_SPIKE" => 0.4,
        "BRUTE_FORCE" => 0.5,
        "SHELL_IN_CONTAINER" => 0.6,
        "HTTP_5XX_SPIKE" => 0.25,
        _ => 0.0,
    }
}

/// How bad the agent's own alerts are, by what they begin with.
fn local_alert(alert: String, time: Micros) -> Happening {
    let severity = if alert.starts_with("HTTP_5XX_SPIKE") { "medium" } else { "high" };
    Happening {
        time,
        kind: LOCAL_ALERT.to_owned(),
        severity: severity.to_owned(),
        title: alert,
        attributes: serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{tests::shown, write_samples};
    use super::*;
    use crate::model::Intake;
    use crate::wire::tree::{Leniency, Tree};

    const REPORT: &str = r#"{"host":"web-01","server_id":"srv-1","env":"prod","timestamp":"2024-01-20T12:34:56.5+05:00",
        "metrics":{"cpu_usage":42.5,"memory_usage":70.1,"disk_usage":55.3,"network_rx_bytes_per_sec":12345,
        "network_tx_bytes_per_sec":6789.0,"tcp_connections":12},
        "docker_events":[{"type":"container","action":"die","container":"web","image":"nginx","timestamp":"2024-01-20T12:34:56Z"}],
        "logs":[{"container":"/web","message":"started","timestamp":"2024-01-20T12:34:57Z"}],
        "local_alerts":["CPU_SPIKE"],"score":0.9,"unknown":{"kept":true}}"#;

    fn tree(text: &str) -> Tree<'_> {
        Tree::read(text.as_bytes(), Leniency::Strict).unwrap()
    }

    #[test]
    fn a_report_is_samples_events_and_lines() {
        let tree = tree(REPORT);
        let report = read(tree.root()).unwrap();
        assert_eq!((&*report.host, report.time.0), ("web-01", 1_705_736_096_500_000));
        let titles: Vec<_> = report.events.iter().map(|event| (&*event.kind, &*event.title)).collect();
        assert_eq!(titles, [("container", "die"), (LOCAL_ALERT, "CPU_SPIKE")]);
        assert_eq!(report.lines[0].source, "/web");
        let (mut text, mut intake) = (Vec::new(), Intake::default());
        write_samples((tree.root(), RULES), (&report.host, report.time), &mut text, &mut intake);
        let expected = [
            "web-01 host/cpu_usage{} 42.5",
            "web-01 host/memory_usage{} 70.1",
            "web-01 host/disk_usage{} 55.3",
            "web-01 host/network_rx_bytes_per_sec{} 12345",
            "web-01 host/network_tx_bytes_per_sec{} 6789",
            "web-01 host/tcp_connections{} 12",
            "web-01 host/score{} 0.9",
        ];
        assert_eq!(shown(&text, &intake), expected);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = r#"{"timestamp":"soon","metrics":{"cpu_usage":"a","memory_usage":1,"disk_usage":null,
            "network_rx_bytes_per_sec":1.5,"network_tx_bytes_per_sec":1},"logs":null,"docker_events":[{}],"score":1}"#;
        let problems = read(tree(text).root()).unwrap_err();
        let detail = problems.detail();
        let found: Vec<String> =
            detail.as_array().unwrap().iter().map(|one| format!("{} {}", one["loc"], one["type"])).collect();
        let expected = [
            r#"["body","host"] "missing""#,
            r#"["body","timestamp"] "datetime_parsing""#,
            r#"["body","metrics","cpu_usage"] "float_parsing""#,
            r#"["body","metrics","disk_usage"] "float_type""#,
            r#"["body","metrics","network_rx_bytes_per_sec"] "int_from_float""#,
            r#"["body","metrics","tcp_connections"] "missing""#,
            r#"["body","docker_events",0,"type"] "missing""#,
            r#"["body","docker_events",0,"action"] "missing""#,
            r#"["body","docker_events",0,"container"] "missing""#,
            r#"["body","docker_events",0,"image"] "missing""#,
            r#"["body","docker_events",0,"timestamp"] "missing""#,
            r#"["body","logs"] "list_type""#,
        ];
        assert_eq!(found, expected);
        assert!(problems.to_string().starts_with("host: Field required; timestamp: "), "{problems}");
    }
}

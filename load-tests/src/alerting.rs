//! What a person does to the server about alerts, over its API: rules, recipients, and looking at what happened.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;
use crate::clock;
use crate::server::{Server, ServerError};

/// Lets the server tell a receiver on loopback.
pub(crate) const TELLS_LOOPBACK: [&str; 2] = ["--set", "alerts.private_targets=true"];
/// A series of this scenario's own beside those of the fleet.
pub(crate) const PROBE_TYPE: &str = "probe";
const PROBE_NAME: &str = "level";
const THRESHOLD: f64 = 500.0;
const JUDGED_WAIT: Duration = Duration::from_secs(120);
const JUDGED_POLL: Duration = Duration::from_millis(100);
const ADDING_THREADS: usize = 4;

/// Speaks with the server over one connection.
#[derive(Debug)]
pub(crate) struct Alerting {
    client: Client,
}

/// An entry of the history.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) change: String,
    pub(crate) server_id: Option<Uuid>,
    pub(crate) value: Option<f64>,
}

impl Alerting {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, ServerError> {
        Ok(Self { client: Client::new(address)? })
    }

    /// Adds a webhook of the fleet and answers its number.
    pub(crate) fn add_recipient(&mut self, name: &str, url: &str) -> Result<i64, ServerError> {
        self.add("/api/v1/alerts/recipients", &json!({"name": name, "target": {"kind": "webhook", "url": url}}))
    }

    pub(crate) fn add_rule(&mut self, rule: &Value) -> Result<i64, ServerError> {
        self.add("/api/v1/alerts/rules", rule)
    }

    /// All that happened to the probes.
    pub(crate) fn history(&mut self) -> Result<Vec<Event>, ServerError> {
        let path = "/api/v1/alerts/history?format=ndjson&change=firing,resolved&order=asc";
        let answer = self.client.get(path)?;
        let refused = |status, body: &[u8]| refused(path, status, body);
        if answer.status != 200 {
            return Err(refused(answer.status, answer.body));
        }
        let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|_| refused(200, line))).collect()
    }

    /// Whether somebody is still to be told of something.
    pub(crate) fn has_waiting_notices(&mut self) -> Result<bool, ServerError> {
        let path = "/api/v1/alerts/notices?state=waiting&limit=1";
        let answer = self.client.get(path)?;
        let page: Value = serde_json::from_slice(answer.body).unwrap_or_default();
        let notices = page["notices"].as_array().ok_or_else(|| refused(path, answer.status, answer.body))?;
        Ok(!notices.is_empty())
    }

    /// Sends one sample of a probe. True when it was acknowledged.
    pub(crate) fn send_probe(&mut self, server_id: &str, value: f64, time_ms: i64) -> bool {
        let metric = json!({
            "metric_type": PROBE_TYPE, "metric_name": PROBE_NAME, "value": value,
            "timestamp": clock::rfc3339_text(time_ms),
        });
        let body = json!({"server_id": server_id, "metrics": [metric]}).to_string();
        let answer = self.client.post("/api/v1/ingest", "application/json", body.as_bytes());
        answer.is_ok_and(|answer| {
            let said: Value = serde_json::from_slice(answer.body).unwrap_or_default();
            answer.status == 200 && said["inserted"] == 1
        })
    }

    fn add(&mut self, path: &str, body: &Value) -> Result<i64, ServerError> {
        let answer = self.client.post(path, "application/json", body.to_string().as_bytes())?;
        let made: Value = serde_json::from_slice(answer.body).unwrap_or_default();
        let id = made["id"].as_i64().filter(|_| answer.status == 201);
        id.ok_or_else(|| refused(path, answer.status, answer.body))
    }
}

/// Fires for values of a probe like [`crossing_value`] gives for odd numbers, and is over for even ones.
pub(crate) fn probe_rule(server_id: &str, recipient: i64) -> Value {
    json!({
        "name": format!("probe of {server_id}"), "server_id": server_id, "metric_type": PROBE_TYPE,
        "metric_name": PROBE_NAME, "condition": {"op": "gt", "threshold": THRESHOLD}, "recipients": [recipient],
    })
}

/// Over and under the threshold in turns; each number has a value of its own.
pub(crate) fn crossing_value(number: u32) -> f64 {
    let value = f64::from(number);
    if fires(number) { 2.0 * THRESHOLD + value } else { -value }
}

pub(crate) fn fires(number: u32) -> bool {
    number % 2 == 1
}

/// What the history and notices call it.
pub(crate) fn change_name(number: u32) -> &'static str {
    if fires(number) { "firing" } else { "resolved" }
}

/// Adds many rules over some connections.
pub(crate) fn add_rules(address: SocketAddr, rules: &[Value]) -> Result<(), ServerError> {
    let share = rules.len().div_ceil(ADDING_THREADS).max(1);
    std::thread::scope(|scope| {
        let add_all = |rules: &[Value]| {
            let mut alerting = Alerting::new(address)?;
            rules.iter().try_for_each(|rule| alerting.add_rule(rule).map(drop))
        };
        let threads: Vec<_> = rules.chunks(share).map(|rules| scope.spawn(move || add_all(rules))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Waits until the server says that so many rules are judged, all of them put to all series. Answers how long it took.
pub(crate) fn wait_until_judged(server: &Server, rules: usize) -> Result<Duration, ServerError> {
    let begin = Instant::now();
    let number = |name| server.number(name).unwrap_or(0.0);
    while number("millrace_alert_leading") < 1.0 || number("millrace_alert_rules") < rules as f64 {
        if begin.elapsed() > JUDGED_WAIT {
            return Err(ServerError::NotJudged { rules, judged: number("millrace_alert_rules") });
        }
        clock::wait_until(Instant::now() + JUDGED_POLL);
    }
    Ok(begin.elapsed())
}

fn refused(path: &str, status: u16, body: &[u8]) -> ServerError {
    let text = String::from_utf8_lossy(body).chars().take(300).collect();
    ServerError::Refused { path: path.to_owned(), status, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_take_turns_and_no_two_have_the_same_value() {
        let values: Vec<f64> = (1..=1000).map(crossing_value).collect();
        assert!(values.iter().enumerate().all(|(place, value)| (*value > THRESHOLD) == (place % 2 == 0)));
        let distinct: std::collections::HashSet<u64> = values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(distinct.len(), values.len());
        assert_eq!((change_name(1), change_name(2)), ("firing", "resolved"));
    }
}

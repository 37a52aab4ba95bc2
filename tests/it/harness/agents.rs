//! Agents that send without a pause, each on its own connections, and remember what they sent and what they were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::{Method, StatusCode};
use millrace::clock::{Clock, SystemClock};
use millrace::model::Micros;
use millrace::shutdown::Tasks;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::eventually;
use super::server::exchange;

/// Samples in one request, each of a series of its own.
const SERIES: u64 = 5;
const DAY_US: i64 = 86_400_000_000;

/// Server id, metric name and time to value: what a store of samples is, seen from outside.
pub(crate) type Samples = BTreeMap<(String, String, i64), f64>;

pub(crate) struct Agents {
    counts: Vec<Arc<Counts>>,
    running: Vec<JoinHandle<Agent>>,
    tasks: Tasks,
}

#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

/// What all agents together know in the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) sent: Samples,
    pub(crate) acknowledged: Samples,
    /// What refusals looked like.
    pub(crate) refusals: Vec<(StatusCode, bool)>,
}

struct Agent {
    address: SocketAddr,
    server_id: String,
    begun: i64,
    requests: u64,
    counts: Arc<Counts>,
    told: Told,
}

impl Agents {
    /// One agent for each of the registered `server_ids`; returns once each has been acknowledged.
    pub(crate) async fn start(address: SocketAddr, server_ids: &[String]) -> Self {
        let tasks = Tasks::default();
        let (mut counts, mut running) = (Vec::new(), Vec::new());
        for server_id in server_ids {
            let agent = Agent::new(address, server_id.clone());
            counts.push(Arc::clone(&agent.counts));
            running.push(tasks.spawn("agent", agent.run(tasks.clone())));
        }
        let agents = Self { counts, running, tasks };
        agents.until_acknowledged().await;
        agents
    }

    /// Waits until each of them has been acknowledged a few times more.
    pub(crate) async fn until_acknowledged(&self) {
        let targets: Vec<u64> = self.counts.iter().map(|counts| read(&counts.acknowledged) + 10).collect();
        let reached =
            async || self.counts.iter().zip(&targets).all(|(counts, target)| read(&counts.acknowledged) >= *target);
        eventually("every agent is acknowledged", reached).await;
    }

    /// Waits until each of them has been refused once more.
    pub(crate) async fn until_refused(&self) {
        let targets: Vec<u64> = self.counts.iter().map(|counts| read(&counts.refused) + 1).collect();
        let reached =
            async || self.counts.iter().zip(&targets).all(|(counts, target)| read(&counts.refused) >= *target);
        eventually("every agent is refused", reached).await;
    }

    /// Has them finish the requests they are at.
    pub(crate) async fn stop(self) -> Told {
        self.tasks.ask_to_stop();
        let mut all = Told::default();
        for agent in self.running {
            let told = agent.await.unwrap().told;
            all.sent.extend(told.sent);
            all.acknowledged.extend(told.acknowledged);
            all.refusals.extend(told.refusals);
        }
        all
    }
}

impl Agent {
    fn new(address: SocketAddr, server_id: String) -> Self {
        let begun = SystemClock.now().0 - DAY_US;
        Self { address, server_id, begun, requests: 0, counts: Arc::default(), told: Told::default() }
    }

    async fn run(mut self, tasks: Tasks) -> Self {
        while !tasks.is_stopping() && self.send_one().await {}
        self
    }

    /// Returns whether there is still a server.
    async fn send_one(&mut self) -> bool {
        self.requests += 1;
        let number = self.requests;
        // An awkward fraction, so that a value that was rounded on its way is not the same any more.
        let sample = |series: u64| {
            let time = self.begun + number as i64 * 1_000 + series as i64;
            ((self.server_id.clone(), format!("m{series}"), time), (number * SERIES + series) as f64 / 7.0)
        };
        let samples: Samples = (0..SERIES).map(sample).collect();
        let metrics: Vec<Value> = samples.iter().map(|((_, name, time), value)| metric(name, *time, *value)).collect();
        let body = json!({ "server_id": self.server_id, "metrics": metrics }).to_string();
        self.told.sent.extend(samples.clone());
        let json = [("content-type", "application/json")];
        // Without an answer nothing is known of these samples.
        let Ok(answer) = exchange(self.address, Method::POST, "/api/v1/ingest", &json, body.as_bytes()).await else {
            return false;
        };
        if answer.status == StatusCode::OK {
            assert_eq!(answer.json()["inserted"], SERIES);
            self.told.acknowledged.extend(samples);
            self.counts.acknowledged.fetch_add(1, Ordering::Relaxed);
        } else {
            self.told.refusals.push((answer.status, answer.header("retry-after").is_some()));
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

impl Told {
    /// Whether `found` has everything that was acknowledged, and nothing that nobody sent.
    #[track_caller]
    pub(crate) fn check(&self, found: &Samples) {
        assert!(!self.acknowledged.is_empty());
        let lost: Vec<_> = self.acknowledged.iter().filter(|(place, value)| found.get(place) != Some(value)).collect();
        assert!(lost.is_empty(), "acknowledged and not found: {lost:?}");
        let strange: Vec<_> = found.iter().filter(|(place, value)| self.sent.get(place) != Some(value)).collect();
        assert!(strange.is_empty(), "found and never sent: {strange:?}");
    }

    #[track_caller]
    pub(crate) fn check_refusals(&self) {
        let honest = |refusal: &(StatusCode, bool)| *refusal == (StatusCode::SERVICE_UNAVAILABLE, true);
        assert!(self.refusals.iter().all(honest), "{:?}", self.refusals);
    }
}

/// A metric as agents send it.
pub(crate) fn metric(name: &str, time_us: i64, value: f64) -> Value {
    json!({ "metric_type": "t", "metric_name": name, "value": value, "timestamp": rfc3339(time_us) })
}

pub(crate) fn rfc3339(time_us: i64) -> String {
    let mut text = Vec::new();
    Micros(time_us).write_rfc3339(&mut text);
    String::from_utf8(text).unwrap()
}

/// What a metric says, as the API prints it in queries and frames. The number is read by the standard library: the JSON
/// library is a little off with some.
pub(crate) fn sample_of(metric: &str) -> ((String, String, i64), f64) {
    let metric: Printed<'_> = serde_json::from_str(metric).unwrap_or_else(|error| panic!("{error}: {metric}"));
    let time = Micros::parse_rfc3339(metric.timestamp.as_bytes()).unwrap().0;
    ((metric.server_id, metric.metric_name, time), metric.value.get().parse().unwrap())
}

#[derive(Deserialize)]
struct Printed<'a> {
    server_id: String,
    metric_name: String,
    #[serde(borrow)]
    value: &'a RawValue,
    timestamp: String,
}

/// Everything that is stored, as the API tells it.
pub(crate) async fn export(address: SocketAddr) -> Samples {
    let answer = exchange(address, Method::GET, "/api/v1/metrics?format=ndjson", &[], b"").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let mut samples = Samples::new();
    for line in answer.text().lines() {
        let (place, value) = sample_of(line);
        let before = samples.insert(place, value);
        assert_eq!(before, None, "twice: {line}");
    }
    samples
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

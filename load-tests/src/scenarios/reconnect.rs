//! Agents that all connect at the same instant, as after a load balancer went away: each with a token of its own, which
//! the server has just forgotten because another one was revoked. Counted from that instant to the first
//! acknowledgement.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{ScenarioError, Setup, ms};
use crate::cli::Common;
use crate::client::Client;
use crate::clock;
use crate::data::stream::Shape;
use crate::histogram::{Latencies, Quantiles};
use crate::output::Table;
use crate::report::Report;

/// Ten samples: one reading of one host.
const SHAPE: Shape = Shape { hosts: 1, steps: 1 };
const P99_MAX_MS: f64 = 50.0;
/// Longest an agent waits for its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 4 << 10;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) agents: u32,
    /// How often all of them connect.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
}

pub(crate) fn run(common: &Common, settings: &Settings) -> Result<Report, ScenarioError> {
    let mut setup = Setup::start(common, settings.agents, SHAPE)?;
    let hosts = &setup.fleet.hosts[..settings.agents as usize];
    let tokens: Result<Vec<String>, _> =
        hosts.iter().map(|host| setup.server.make_endpoint(&host.name_text())).collect();
    let requests: Vec<Vec<u8>> =
        hosts.iter().zip(&tokens?).map(|(host, token)| request(&host.id.to_string(), token)).collect();
    let requests: Arc<[Vec<u8>]> = requests.into();
    let admin = setup.server.make_token(&["administer"])?;
    setup.server.reopen(&["--set", "anonymous=none"])?;
    let address = setup.server.address();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Creates the series, which is not what is promised.
    runtime.block_on(rush(address, Arc::clone(&requests)));

    let mut table = Table::with_heading(&["round", "answered", "p50 ms", "p99 ms", "max ms"]);
    let (mut failures, mut rounds): (Vec<String>, Vec<Quantiles>) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        forget_everyone(address, &admin)?;
        let latency = runtime.block_on(rush(address, Arc::clone(&requests))).quantiles();
        let answered = latency.count.to_string();
        table.row([round.to_string(), answered, ms(latency.p50_ms), ms(latency.p99_ms), ms(latency.max_ms)]);
        if latency.count < u64::from(settings.agents) {
            failures.push(format!(
                "round {round}: {} agents were not acknowledged",
                u64::from(settings.agents) - latency.count
            ));
        }
        rounds.push(latency);
    }
    let mut p99s: Vec<f64> = rounds.iter().map(|latency| latency.p99_ms).collect();
    p99s.sort_by(f64::total_cmp);
    let p99_ms = p99s[p99s.len() / 2];
    table.row(["p99, median".into(), String::new(), String::new(), ms(p99_ms), String::new()]);
    if p99_ms > P99_MAX_MS {
        failures.push(format!("p99 {p99_ms:.1} ms is more than {P99_MAX_MS} ms"));
    }
    setup.server.stop()?;
    Ok(Report {
        scenario: "reconnect",
        settings: json!({"agents": settings.agents, "rounds": settings.rounds}),
        results: json!({"rounds": rounds, "p99_median_ms": p99_ms}),
        table,
        failures,
    })
}

/// Revokes a token nobody uses, which makes every node look up all others again.
fn forget_everyone(address: SocketAddr, admin: &str) -> Result<(), ScenarioError> {
    let mut client = Client::new(address)?;
    let mut ask = |method: &str, path: &str, body: &str| {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {admin}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = client.exchange(head.as_bytes(), body.as_bytes())?;
        Ok::<_, ScenarioError>(serde_json::from_slice::<serde_json::Value>(answer.body).unwrap_or_default())
    };
    let made = ask("POST", "/api/v1/tokens", r#"{"name":"passing","rights":["administer"]}"#)?;
    ask("DELETE", &format!("/api/v1/tokens/{}", made["id"]), "")?;
    Ok(())
}

/// Every agent connects at the same instant and sends one request. Those that are not acknowledged are left out.
async fn rush(address: SocketAddr, requests: Arc<[Vec<u8>]>) -> Latencies {
    let start = Arc::new(Barrier::new(requests.len()));
    let mut agents = JoinSet::new();
    for index in 0..requests.len() {
        let (start, requests) = (Arc::clone(&start), Arc::clone(&requests));
        agents.spawn(async move {
            start.wait().await;
            let begin = Instant::now();
            let exchange = tokio::time::timeout(ANSWER_WAIT, is_acknowledged(address, &requests[index]));
            let acknowledged = exchange.await.is_ok_and(|answer| answer.unwrap_or(false));
            acknowledged.then(|| begin.elapsed())
        });
    }
    let mut latencies = Latencies::default();
    while let Some(agent) = agents.join_next().await {
        if let Ok(Some(latency)) = agent {
            latencies.record(latency);
        }
    }
    latencies
}

async fn is_acknowledged(address: SocketAddr, request: &[u8]) -> std::io::Result<bool> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    socket.write_all(request).await?;
    let mut answer = Vec::with_capacity(512);
    while socket.read_buf(&mut answer).await? > 0 && answer.len() < ANSWER_BYTES_MAX {
        if answer.windows(4).any(|four| four == b"\r\n\r\n") {
            break;
        }
    }
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn request(server_id: &str, token: &str) -> Vec<u8> {
    let now = clock::rfc3339_text(clock::now_ms());
    let metrics: Vec<serde_json::Value> = (0..SHAPE.samples())
        .map(|name| {
            json!({ "metric_type": "cpu", "metric_name": format!("usage_{name}"), "value": 1.5,
                "timestamp": now })
        })
        .collect();
    let body = json!({ "server_id": server_id, "metrics": metrics }).to_string();
    let head = format!(
        "POST /api/v1/ingest HTTP/1.1\r\nHost: localhost\r\nX-Agent-Token: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

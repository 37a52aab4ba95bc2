//! Lines over TCP and UDP, to a whole server: what is stored, what is counted, and what is left when it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use millrace::clock::{ManualClock, SystemClock};
use millrace::listen::Dialect;
use millrace::model::Micros;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

use crate::harness::{TestDatabase, TestServer, eventually};

/// What time it is for the servers of these tests, and the same in seconds.
const NOW: &str = "2025-11-20T12:00:00Z";
const NOW_SECONDS: i64 = 1_763_640_000;

async fn start(settings: &[(&str, &str)]) -> TestServer {
    let both = [("graphite.listen", "127.0.0.1:0"), ("statsd.listen", "127.0.0.1:0")];
    TestServer::start_with(&[&both, settings].concat(), clock()).await
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Micros::parse_rfc3339(NOW.as_bytes()).unwrap()))
}

fn address(server: &TestServer, dialect: Dialect) -> SocketAddr {
    server.line_addresses.iter().find(|(known, _)| *known == dialect).unwrap().1
}

async fn send_tcp(address: SocketAddr, lines: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(lines.as_bytes()).await.unwrap();
    socket
}

async fn send_udp(address: SocketAddr, datagram: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(socket.send_to(datagram.as_bytes(), address).await.unwrap(), datagram.len());
}

/// All that is stored, as `type name labels value timestamp`, sorted.
async fn stored(server: &TestServer) -> Vec<String> {
    let text = server.get("/api/v1/metrics?format=ndjson").await.text().to_owned();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| row[name].as_str().unwrap().to_owned();
        let value = line.split("\"value\":").nth(1).unwrap().split(',').next().unwrap();
        format!("{} {} {} {value} {}", field("metric_type"), field("metric_name"), row["labels"], field("timestamp"))
    };
    let mut rows: Vec<String> = text.lines().map(row).collect();
    rows.sort();
    rows
}

async fn hosts(server: &TestServer) -> Vec<String> {
    let listed = server.get("/api/v1/servers").await.json();
    let mut hosts: Vec<String> =
        listed.as_array().unwrap().iter().map(|row| row["hostname"].as_str().unwrap().to_owned()).collect();
    hosts.sort();
    hosts
}

/// A counter, 0 while nothing was counted.
async fn counted(server: &TestServer, name: &str) -> u64 {
    let page = server.get("/-/metrics").await;
    let line = page.text().lines().find(|line| line.starts_with(name)).map(str::to_owned);
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn dropped(dialect: &str, reason: &str) -> String {
    format!("millrace_listen_lines_dropped_total{{dialect=\"{dialect}\",reason=\"{reason}\"}}")
}

#[tokio::test]
async fn graphite_lines_over_tcp_and_udp_come_back_as_they_were_sent() {
    let server = start(&[("graphite.flush_interval", "20ms")]).await;
    let graphite = address(&server, Dialect::Graphite);
    let values = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0];
    let lines: String =
        values.iter().enumerate().map(|(place, value)| format!("v.{place} {value:?} {NOW_SECONDS}\n")).collect();
    let _open = send_tcp(graphite, &lines).await;
    send_udp(graphite, &format!("udp.one;host=web-1;core=0 1.5 {NOW_SECONDS}\nudp.two 2")).await;
    eventually("all lines are stored", async || stored(&server).await.len() == 7).await;
    let rows = stored(&server).await;
    for (place, value) in values.iter().enumerate() {
        let row = rows.iter().find(|row| row.starts_with(&format!("graphite v.{place} {{}} "))).unwrap();
        let found: f64 = row.split(' ').nth(3).unwrap().parse().unwrap();
        assert_eq!(found.to_bits(), value.to_bits(), "{row}");
    }
    assert_eq!(rows[0], format!(r#"graphite udp.one {{"core":"0"}} 1.5 {NOW}"#));
    assert_eq!(rows[1], format!("graphite udp.two {{}} 2 {NOW}"));
    assert_eq!(hosts(&server).await, ["graphite", "web-1"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_interval_of_statsd_comes_to_a_sample_a_series() {
    let database = TestDatabase::create().await;
    let settings = [("statsd.listen", "127.0.0.1:0"), ("statsd.flush_interval", "1h")];
    let server = TestServer::start_on(&database.config(), &settings, clock()).await;
    let statsd = address(&server, Dialect::Statsd);
    send_udp(statsd, "hits:1|c|#path:/\nhits:2|c|@0.5|#path:/\nload:3|g").await;
    send_udp(statsd, "load:+1|g").await;
    let _open = send_tcp(statsd, "time:10:20:30|ms|#host:web-1\nusers:a|s\nusers:b|s\nusers:a|s\n").await;
    let lines = "millrace_listen_lines_total{dialect=\"statsd\"}";
    eventually("all lines are received", async || counted(&server, lines).await == 8).await;
    assert_eq!(stored(&server).await, [""; 0], "the interval is not over");
    // A stop ends the interval.
    server.stop().await.unwrap();
    let server = TestServer::start_on(&database.config(), &[], clock()).await;
    let expected = [
        r#"delta hits {"path":"/"} 5"#,
        "gauge load {} 4",
        "set users {} 2",
        r#"timer time {"quantile":"0.5"} 20"#,
        r#"timer time {"quantile":"0.95"} 30"#,
        r#"timer time {"quantile":"0.99"} 30"#,
        r#"timer time {"quantile":"0.9"} 30"#,
        "timer time_count {} 3",
        "timer time_max {} 30",
        "timer time_min {} 10",
        "timer time_sum {} 60",
    ];
    let mut expected = expected.map(|row| format!("{row} {NOW}"));
    expected.sort();
    assert_eq!(stored(&server).await, expected);
    assert_eq!(hosts(&server).await, ["statsd", "web-1"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_read_before_a_stop_is_committed() {
    let database = TestDatabase::create().await;
    let settings = [("graphite.listen", "127.0.0.1:0"), ("graphite.flush_interval", "1h")];
    let server = TestServer::start_on(&database.config(), &settings, clock()).await;
    let graphite = address(&server, Dialect::Graphite);
    let _open = send_tcp(graphite, "a 1\nb 2\n").await;
    let lines = "millrace_listen_lines_total{dialect=\"graphite\"}";
    eventually("both lines are received", async || counted(&server, lines).await == 2).await;
    server.stop().await.unwrap();
    let server = TestServer::start_on(&database.config(), &[], clock()).await;
    assert_eq!(stored(&server).await, [format!("graphite a {{}} 1 {NOW}"), format!("graphite b {{}} 2 {NOW}")]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_lost_without_being_counted() {
    let server = start(&[("graphite.flush_interval", "20ms"), ("statsd.flush_interval", "20ms")]).await;
    let graphite = address(&server, Dialect::Graphite);
    let long = "x".repeat(100_000);
    drop(send_tcp(graphite, &format!("good 1\nbad\n{long} 1\nold 1 5\ngood.too 2\ncut.off 1")).await);
    drop(send_tcp(address(&server, Dialect::Statsd), "a:1|c\na:1|q\n").await);
    let refused = |code: &str| format!("millrace_ingest_items_refused_total{{code=\"{code}\"}}");
    for (name, expected) in [
        (dropped("graphite", "line_too_long"), 1),
        (dropped("graphite", "cut_off"), 1),
        (refused("malformed_line"), 1),
        (refused("too_old"), 1),
        (refused("invalid_type"), 1),
    ] {
        eventually(&name, async || counted(&server, &name).await == expected).await;
    }
    eventually("the good lines are stored", async || stored(&server).await.len() == 3).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn datagrams_beyond_their_rate_are_dropped_and_counted() {
    let server =
        start(&[("admit.samples_per_second", "1"), ("admit.burst", "1s"), ("statsd.flush_interval", "20ms")]).await;
    let statsd = address(&server, Dialect::Statsd);
    let name = dropped("statsd", "rate_limited");
    send_udp(statsd, &"a:1|c\n".repeat(100)).await;
    eventually("the first datagram is received", async || counted(&server, "millrace_listen_lines_total").await > 0)
        .await;
    send_udp(statsd, "a:1|c\na:1|c").await;
    eventually("the second one is dropped", async || counted(&server, &name).await == 2).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn beyond_the_bound_a_connection_waits_for_another_to_end() {
    let server = start(&[("graphite.connections_max", "1"), ("graphite.flush_interval", "20ms")]).await;
    let graphite = address(&server, Dialect::Graphite);
    let first = send_tcp(graphite, "first 1\n").await;
    eventually("the first one is served", async || stored(&server).await.len() == 1).await;
    let _second = send_tcp(graphite, "second 2\n").await;
    assert_eq!(counted(&server, "millrace_listen_connections{dialect=\"graphite\"}").await, 1);
    drop(first);
    eventually("the second one is served", async || stored(&server).await.len() == 2).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_an_address_nobody_listens() {
    let server = TestServer::start_with(&[], Arc::new(SystemClock)).await;
    assert!(server.line_addresses.is_empty());
    server.stop().await.unwrap();
}

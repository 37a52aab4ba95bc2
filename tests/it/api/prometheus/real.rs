//! A real Prometheus that scrapes the server and writes what it found back into it: both hold the same.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use millrace::clock::SystemClock;
use tokio::process::{Child, Command};

use super::*;
use crate::harness::cluster::fresh_directory;
use crate::harness::{client::exchange, eventually};

/// The program, its address and its directory; gone when the test is.
struct Prometheus {
    process: Child,
    address: std::net::SocketAddr,
    directory: PathBuf,
}

impl Prometheus {
    /// Scrapes `server` every second and writes to it.
    fn start(server: &TestServer) -> Self {
        let directory = fresh_directory();
        std::fs::create_dir_all(&directory).unwrap();
        let settings = directory.join("prometheus.yml");
        let target = server.address;
        let text = format!(
            "global: {{scrape_interval: 1s}}\n\
             scrape_configs: [{{job_name: millrace, metrics_path: /-/metrics, static_configs: [{{targets: ['{target}']}}]}}]\n\
             remote_write: [{{url: 'http://{target}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}]\n"
        );
        std::fs::write(&settings, text).unwrap();
        // It cannot choose a port itself and say which; one that was just free is.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Prometheus is there: `make test` installs it, or scripts/install-prometheus.sh");
        Self { process, address, directory }
    }

    /// What it holds of the last minute, as series and milliseconds with the bits of the value.
    async fn samples(&self) -> Option<Vec<(String, i64, u64)>> {
        let path = "/api/v1/query?query=%7Bjob%3D%22millrace%22%7D%5B1m%5D";
        // Until it has started it is not there, or not ready.
        let answer = exchange(self.address, Method::GET, path, &[], b"").await.ok()?;
        if answer.status != 200 {
            return None;
        }
        let mut samples = Vec::new();
        for series in answer.json()["data"]["result"].as_array()? {
            let mut labels = series["metric"].clone();
            let name = labels.as_object_mut()?.remove("__name__")?;
            for sample in series["values"].as_array()? {
                let value: f64 = sample[1].as_str()?.parse().ok()?;
                let millis = (sample[0].as_f64()? * 1e3).round() as i64;
                samples.push((format!("{} {labels}", name.as_str()?), millis, value.to_bits()));
            }
        }
        Some(samples)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.process.start_kill());
        std::fs::remove_dir_all(&self.directory).unwrap_or_default();
    }
}

/// The same of what we hold.
async fn held(server: &TestServer) -> Vec<(String, i64, u64)> {
    let exported = server.get("/api/v1/export?metric_type=prometheus").await;
    let sample = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let time = millrace::model::Micros::parse_rfc3339(row["timestamp"].as_str().unwrap().as_bytes()).unwrap();
        let series = format!("{} {}", row["metric_name"].as_str().unwrap(), row["labels"]);
        (series, time.0 / 1_000, value_bits(line))
    };
    exported.text().lines().map(sample).collect()
}

#[tokio::test]
async fn what_prometheus_scrapes_and_writes_is_held_by_both() {
    let server = TestServer::start_with(&[], Arc::new(SystemClock)).await;
    let prometheus = Prometheus::start(&server);
    let mut scraped = Vec::new();
    eventually("Prometheus has scraped the server a few times", async || {
        scraped = prometheus.samples().await.unwrap_or_default();
        scraped.iter().filter(|(series, ..)| series.starts_with("up ")).count() >= 3
    })
    .await;
    assert!(scraped.len() > 300, "{} samples are too few to be all of the server's own metrics", scraped.len());
    let mut missing = Vec::new();
    eventually("all that it has is written to us", async || {
        let held: std::collections::HashSet<_> = held(&server).await.into_iter().collect();
        missing = scraped.iter().filter(|sample| !held.contains(*sample)).cloned().collect();
        missing.is_empty()
    })
    .await;
    assert_eq!(hosts(&server).await.keys().collect::<Vec<_>>(), ["127.0.0.1"]);
    drop(prometheus);
    server.stop().await.unwrap();
}

//! A node that is killed while samples come in: this test program again, as a server that the test may kill.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{SAMPLES_A_REQUEST, samples, start};
use crate::harness::eventually;
use crate::harness::{LiveClient, TestDatabase, TestServer};
use millrace::shutdown::Tasks;

const DATABASE: &str = "MILLRACE_TEST_NODE_ON";
const REQUESTS_MAX: u32 = 400;
const SENDERS: u32 = 4;
const ACKNOWLEDGED_BEFORE_THE_END: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_node_had_acknowledged_reaches_the_subscribers_of_the_others_once() {
    let database = TestDatabase::create().await;
    let survivor = start(&database).await;
    let server_id = survivor.register("left").await;
    let received = receive(LiveClient::subscribe(&survivor, "batch=true").await);
    let (mut node, address) = start_node(&database).await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (server_id, acknowledged) = (server_id.clone(), Arc::clone(&acknowledged));
            Tasks::default().spawn("sender", async move {
                for request in 0..REQUESTS_MAX {
                    let first = (request * SENDERS + sender) * SAMPLES_A_REQUEST;
                    if !is_acknowledged(address, &server_id, first).await {
                        return;
                    }
                    acknowledged.lock().unwrap().extend(first..first + SAMPLES_A_REQUEST);
                }
            })
        })
        .collect();
    eventually("enough was acknowledged", async || acknowledged.lock().unwrap().len() >= ACKNOWLEDGED_BEFORE_THE_END)
        .await;
    node.kill().unwrap();
    node.wait().unwrap();
    for sender in senders {
        sender.await.unwrap();
    }
    // A commit that was under way may still end, or not.
    eventually("the subscriber has what is stored, each sample once", async || {
        let mut received = received.lock().unwrap().clone();
        received.sort_unstable();
        received == stored(&survivor).await
    })
    .await;
    let stored = stored(&survivor).await;
    assert!(acknowledged.lock().unwrap().iter().all(|value| stored.binary_search(value).is_ok()));
    survivor.stop().await.unwrap();
}

/// Gathers the values a socket brings.
fn receive(mut client: LiveClient) -> Arc<Mutex<Vec<u32>>> {
    let received = Arc::<Mutex<Vec<u32>>>::default();
    let values = Arc::clone(&received);
    Tasks::default().spawn("subscriber", async move {
        while let Some(value) = client.value_or_end().await {
            values.lock().unwrap().push(value as u32);
        }
    });
    received
}

async fn is_acknowledged(address: SocketAddr, server_id: &str, first: u32) -> bool {
    let body = json!({ "server_id": server_id, "metrics": samples(first) }).to_string();
    let head = "POST /api/v1/ingest HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let exchange = async {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    exchange.await.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

/// The values in the store, sorted.
async fn stored(server: &TestServer) -> Vec<u32> {
    let answer = server.get("/api/v1/metrics?format=ndjson").await;
    let value = |line: &str| serde_json::from_str::<Value>(line).unwrap()["value"].as_f64().unwrap() as u32;
    let mut values: Vec<u32> = answer.text().lines().map(value).collect();
    values.sort_unstable();
    values
}

async fn start_node(database: &TestDatabase) -> (Child, SocketAddr) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "nodes::killed::plays_a_node_when_told_to", "--nocapture"]);
    command.env(DATABASE, crate::harness::server::url(&database.config()));
    let mut node = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = move || lines.find_map(|line| line.strip_prefix("listening on ")?.parse().ok());
    let address = tokio::task::spawn_blocking(address).await.unwrap();
    (node, address.expect("the node says where it listens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plays_a_node_when_told_to() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let clock = Arc::new(millrace::clock::SystemClock);
    let server = TestServer::start_on(&database.to_str().unwrap().parse().unwrap(), &[], clock).await;
    println!("\nlistening on {}", server.address);
    std::future::pending::<()>().await;
}

//! The subscribers: one thread drives all sockets, each frame is checked as it comes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde::Deserialize;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::ledger::Ledger;
use super::{Frames, ScenarioError};
use crate::clock;
use crate::data::{METRIC_TYPE, METRICS};
use crate::histogram::Latencies;

/// The crate would reserve 128 KiB a socket.
const READ_BUFFER_BYTES: usize = 8 << 10;
const STALLED_RECEIVE_BYTES: u32 = 4 << 10;
/// Frames still on their way are waited for until none came for this long.
const QUIET_WAIT: Duration = Duration::from_secs(3);
const LAST_FRAME_WAIT: Duration = Duration::from_secs(60);
const CONNECT_WAIT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// All subscribers, running in a thread of their own.
#[derive(Debug)]
pub(super) struct Crowd {
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<Vec<Tally>, ScenarioError>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    sent_to_received: Mutex<Latencies>,
    acknowledged_to_received: Mutex<Latencies>,
}

/// What one socket saw.
#[derive(Debug)]
struct Tally {
    series: usize,
    /// One bit a step.
    seen: Vec<u64>,
    foreign: u64,
    wrong: u64,
    duplicate: u64,
    notices: u64,
    closed_early: bool,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    server_id: Option<&'a str>,
    metric_name: Option<&'a str>,
    value: Option<f64>,
    timestamp: Option<&'a str>,
}

impl Crowd {
    /// Opens every socket and one that is never read, and returns once all are open.
    pub(super) fn connect(address: SocketAddr, ledger: &Arc<Ledger>, sockets: u32) -> Result<Self, ScenarioError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopping) = watch::channel(false);
        let (opened, all_open) = std::sync::mpsc::sync_channel(1);
        let shared = Arc::new(Shared::default());
        let task = (Arc::clone(ledger), Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let (ledger, shared) = task;
            runtime.block_on(async move {
                let streams = open_all(address, &ledger, sockets as usize).await;
                let stalled = connect_stalled(address, &ledger).await;
                if opened.send(()).is_err() {
                    // The run was given up meanwhile.
                    return Ok(Vec::new());
                }
                let (streams, _stalled) = (streams?, stalled?);
                Ok(read_all(streams, &ledger, &shared, &stopping).await)
            })
        });
        let waited = all_open.recv_timeout(CONNECT_WAIT);
        if waited.is_err() {
            return Err(ScenarioError::Settings("the sockets could not be opened in time".into()));
        }
        Ok(Self { stop, thread, shared })
    }

    /// Waits for the last frames, closes every socket and adds up. `sent` is the step up to which each host was sent.
    pub(super) fn finish(self, ledger: &Ledger, sent: &[(usize, u32)]) -> Result<Frames, ScenarioError> {
        let mut steps_sent = vec![0; ledger.fleet().hosts.len()];
        sent.iter().for_each(|(host, steps)| steps_sent[*host] = *steps);
        wait_until_quiet(ledger);
        self.stop.send_replace(true);
        let tallies = self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let quantiles =
            |latencies: &Mutex<Latencies>| latencies.lock().unwrap_or_else(PoisonError::into_inner).quantiles();
        let mut frames = Frames {
            sent_to_received: quantiles(&self.shared.sent_to_received),
            acknowledged_to_received: quantiles(&self.shared.acknowledged_to_received),
            ..Frames::default()
        };
        for tally in tallies {
            let expected = u64::from(steps_sent[tally.series / METRICS.len()]);
            let seen: u64 = tally.seen.iter().map(|word| u64::from(word.count_ones())).sum();
            frames.received += seen + tally.duplicate;
            frames.missing += expected.saturating_sub(seen);
            frames.foreign += tally.foreign + seen.saturating_sub(expected);
            frames.wrong += tally.wrong;
            frames.duplicate += tally.duplicate;
            frames.notices += tally.notices;
            frames.closed_early += u64::from(tally.closed_early);
        }
        Ok(frames)
    }
}

fn wait_until_quiet(ledger: &Ledger) {
    let begin = Instant::now();
    let (mut known, mut since) = (ledger.received(), Instant::now());
    while since.elapsed() < QUIET_WAIT && begin.elapsed() < LAST_FRAME_WAIT {
        clock::wait_until(Instant::now() + POLL_INTERVAL);
        let received = ledger.received();
        if received != known {
            (known, since) = (received, Instant::now());
        }
    }
}

async fn open_all(
    address: SocketAddr,
    ledger: &Ledger,
    sockets: usize,
) -> Result<Vec<WebSocketStream<TcpStream>>, ScenarioError> {
    let mut streams = Vec::with_capacity(sockets);
    for series in 0..sockets {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let metric = METRICS[series % METRICS.len()];
        let filter = format!("metric_type={METRIC_TYPE}&metric_name={metric}");
        streams.push(subscribe(stream, address, ledger, (series / METRICS.len(), &filter)).await?);
    }
    Ok(streams)
}

/// A client with a small receive buffer, subscribed to all of one host, that never reads.
async fn connect_stalled(address: SocketAddr, ledger: &Ledger) -> Result<WebSocketStream<TcpStream>, ScenarioError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(STALLED_RECEIVE_BYTES)?;
    let stream = socket.connect(address).await?;
    subscribe(stream, address, ledger, (0, "")).await
}

async fn subscribe(
    stream: TcpStream,
    address: SocketAddr,
    ledger: &Ledger,
    (host, filter): (usize, &str),
) -> Result<WebSocketStream<TcpStream>, ScenarioError> {
    let server_id = ledger.fleet().hosts[host].id;
    let url = format!("ws://{address}/api/v1/stream?server_id={server_id}&{filter}");
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let (socket, _) = client_async_with_config(url, stream, Some(config)).await.map_err(Box::new)?;
    Ok(socket)
}

async fn read_all(
    streams: Vec<WebSocketStream<TcpStream>>,
    ledger: &Arc<Ledger>,
    shared: &Arc<Shared>,
    stopping: &watch::Receiver<bool>,
) -> Vec<Tally> {
    let mut readers = JoinSet::new();
    for (series, stream) in streams.into_iter().enumerate() {
        let (ledger, shared, stopping) = (Arc::clone(ledger), Arc::clone(shared), stopping.clone());
        readers.spawn(async move { read_one(series, stream, &ledger, &shared, stopping).await });
    }
    readers.join_all().await
}

async fn read_one(
    series: usize,
    mut stream: WebSocketStream<TcpStream>,
    ledger: &Ledger,
    shared: &Shared,
    mut stopping: watch::Receiver<bool>,
) -> Tally {
    let mut tally = Tally::new(series, ledger.fleet().steps_max);
    loop {
        let message = tokio::select! {
            // Frames first: what has come counts even when the end was announced meanwhile.
            biased;
            message = stream.next() => message,
            _ = stopping.changed() => return tally,
        };
        match message {
            Some(Ok(Message::Text(text))) => tally.note(text.as_str(), ledger, shared),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) => tally.notices += 1,
            Some(Err(WsError::ConnectionClosed)) | Some(Err(_)) | None => {
                tally.closed_early = true;
                return tally;
            }
        }
    }
}

impl Tally {
    fn new(series: usize, steps: u32) -> Self {
        let seen = vec![0; (steps as usize).div_ceil(64)];
        Self { series, seen, foreign: 0, wrong: 0, duplicate: 0, notices: 0, closed_early: false }
    }

    fn note(&mut self, text: &str, ledger: &Ledger, shared: &Shared) {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            self.notices += 1;
            return;
        };
        let Some(data) = frame.data.filter(|_| frame.kind == "metric") else {
            self.notices += 1;
            return;
        };
        let Some(step) = self.step(&data, ledger) else {
            self.foreign += 1;
            return;
        };
        let (word, bit) = (step as usize / 64, 1_u64 << (step % 64));
        if self.seen[word] & bit != 0 {
            self.duplicate += 1;
            return;
        }
        self.seen[word] |= bit;
        let expected = ledger.value(self.series, step).to_bits();
        self.wrong += u64::from(data.value.map(f64::to_bits) != Some(expected));
        time(step, self.series / METRICS.len(), ledger, shared);
    }

    /// The step of a sample that belongs to this subscription.
    fn step(&self, data: &Data<'_>, ledger: &Ledger) -> Option<u32> {
        let (host, metric) = (self.series / METRICS.len(), self.series % METRICS.len());
        let named_right = data.metric_name == Some(METRICS[metric])
            && data.server_id.is_some_and(|id| id.as_bytes() == ledger.fleet().hosts[host].id_text);
        let time_us = clock::parse_rfc3339_us(data.timestamp.filter(|_| named_right)?)?;
        ledger.fleet().step_at_us(time_us).filter(|step| *step < ledger.fleet().steps_max)
    }
}

/// Notes how long the frame took since its block was sent, and since it was acknowledged.
fn time(step: u32, host: usize, ledger: &Ledger, shared: &Shared) {
    use std::sync::atomic::Ordering::Acquire;
    let now_us = ledger.now_us();
    ledger.note_received(now_us);
    let since = |then_us: u64| Duration::from_micros(now_us.saturating_sub(then_us));
    let record = |latencies: &Mutex<Latencies>, latency| {
        latencies.lock().unwrap_or_else(PoisonError::into_inner).record(latency);
    };
    record(&shared.sent_to_received, since(ledger.sent(host, step).load(Acquire)));
    // A frame may come before the answer to its request; then it took no time after the acknowledgement.
    let acknowledged_us = ledger.acknowledged(host, step).load(Acquire);
    record(
        &shared.acknowledged_to_received,
        if acknowledged_us == 0 { Duration::ZERO } else { since(acknowledged_us) },
    );
}

#[cfg(test)]
mod tests;

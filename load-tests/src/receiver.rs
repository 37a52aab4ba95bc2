//! Somebody who is told of alerts: takes webhooks on loopback, says yes to each, and keeps what it said and when it came.
//!
//! One thread a delivery, at most `CONNECTIONS_MAX`; further ones are closed unanswered, so that they are tried again.
//! What was said is kept before it is answered: whoever dies in between has told it all the same. Knows no scenario.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Deserialize;
use uuid::Uuid;

const CONNECTIONS_MAX: usize = 256;
const REQUEST_BYTES_MAX: usize = 4 << 20;
const REQUEST_WAIT: Duration = Duration::from_secs(10);
/// More than that are counted only.
const KEPT_MAX: usize = 2_000_000;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// One alert of a notice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    pub(crate) change: String,
    pub(crate) server: Uuid,
    pub(crate) value: f64,
}

#[derive(Debug, Default)]
struct Shared {
    ending: AtomicBool,
    connections: AtomicUsize,
    notices: AtomicU64,
    unlisted: AtomicU64,
    told: Mutex<Vec<Told>>,
}

#[derive(Deserialize)]
struct Notice {
    alerts: Vec<Alert>,
    more: u64,
}

#[derive(Deserialize)]
struct Alert {
    change: String,
    server_id: Option<Uuid>,
    value: Option<f64>,
}

impl Receiver {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &of_thread));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Alerts told so far, repeats included.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn notices(&self) -> u64 {
        self.shared.notices.load(Ordering::Acquire)
    }

    /// Alerts that came without saying which they are: counted in a notice only, or beyond what is kept.
    pub(crate) fn unlisted(&self) -> u64 {
        self.shared.unlisted.load(Ordering::Acquire)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        // The acceptor looks at the flag after each connection, so one more wakes it.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            drop(acceptor.join());
        }
    }
}

impl Shared {
    fn keep(&self, notice: Notice, at: Instant) {
        self.notices.fetch_add(1, Ordering::AcqRel);
        let mut unlisted = notice.more;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for alert in notice.alerts {
            match (alert.server_id, alert.value) {
                (Some(server), Some(value)) if told.len() < KEPT_MAX => {
                    told.push(Told { at, change: alert.change, server, value });
                }
                _ => unlisted += 1,
            }
        }
        self.unlisted.fetch_add(unlisted, Ordering::AcqRel);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.ending.load(Ordering::Acquire) {
            return;
        }
        if shared.connections.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS_MAX {
            shared.connections.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A sender that was killed says nothing more; it is not waited for.
            drop(serve(stream, &shared));
            shared.connections.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_WAIT))?;
    stream.set_nodelay(true)?;
    let (mut request, mut part) = (Vec::new(), [0; 16 << 10]);
    let (body_start, body_end) = loop {
        if let Some(places) = body(&request).filter(|(_, end)| *end <= request.len()) {
            break places;
        }
        let count = stream.read(&mut part)?;
        if count == 0 || request.len() > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&part[..count]);
    };
    let at = Instant::now();
    let notice = serde_json::from_slice(&request[body_start..body_end])?;
    shared.keep(notice, at);
    stream.write_all(ANSWER)
}

/// Where the body begins and ends, once the head is there.
fn body(request: &[u8]) -> Option<(usize, usize)> {
    let start = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&request[..start]).ok()?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some((start, start.checked_add(length.trim().parse().ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn every_alert_of_a_notice_is_kept_and_those_that_are_only_counted_are_counted() {
        let receiver = Receiver::start().unwrap();
        let server = Uuid::from_u128(7);
        let notice = serde_json::json!({"type": "alerts", "more": 3, "alerts": [
            {"change": "firing", "server_id": server, "value": 1001.0},
            {"change": "resolved", "server_id": server, "value": -2.0},
            {"change": "no_data", "server_id": server, "value": null},
        ]});
        let mut client = Client::new(receiver.address).unwrap();
        for _ in 0..2 {
            let answer = client.post("/", "application/json", notice.to_string().as_bytes()).unwrap();
            assert_eq!(answer.status, 200);
        }
        let told: Vec<(String, f64)> = receiver.told().into_iter().map(|told| (told.change, told.value)).collect();
        let once = [("firing".to_owned(), 1001.0), ("resolved".to_owned(), -2.0)];
        assert_eq!(told, [once.clone(), once].concat());
        assert_eq!((receiver.notices(), receiver.unlisted()), (2, 8));
    }

    #[test]
    fn a_body_is_awaited_to_its_announced_end() {
        let head = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(body(head.as_bytes()), Some((head.len(), head.len() + 5)));
        assert_eq!(body(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n"), None);
        assert_eq!(body(b"POST / HTTP/1.1\r\n\r\n"), None);
    }
}

//! Somebody on this machine who takes requests, answers them as the test says, and remembers them byte by byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use millrace::shutdown::Tasks;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::eventually;

/// What a connection is answered; when the test has said no more, 200.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Status(u16),
    /// This status and this body.
    With(u16, &'static str),
    /// On to this address.
    Redirect(String),
    /// Nothing, ever, while the connection stays open.
    Never,
    /// Bytes that nobody understands, before anything was asked.
    Garbage,
}

#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    got: Arc<Mutex<Vec<Got>>>,
    tasks: Tasks,
}

impl Receiver {
    pub(super) async fn start(replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            replies: Arc::new(Mutex::new(replies.iter().cloned().collect())),
            got: Arc::default(),
            tasks: Tasks::default(),
        };
        let accepting = receiver.clone();
        drop(receiver.tasks.spawn("receiver", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = accepting.clone();
                drop(accepting.tasks.spawn("receiver connection", async move { serving.serve(socket).await }));
            }
        }));
        receiver
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until so many requests have come, and answers all.
    pub(super) async fn after(&self, requests: usize) -> Vec<Got> {
        eventually(&format!("{requests} requests came"), async || self.got().len() >= requests).await;
        self.got()
    }

    async fn serve(self, mut socket: TcpStream) {
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200));
        if matches!(reply, Reply::Garbage) {
            drop(socket.write_all(b"\x00garbage that is no TLS\r\n\r\n").await);
            return;
        }
        let Some(got) = read(&mut socket).await else { return };
        self.got.lock().unwrap().push(got);
        let (status, more, body) = match reply {
            Reply::Status(status) => (status, String::new(), ""),
            Reply::With(status, body) => (status, String::new(), body),
            Reply::Redirect(to) => (302, format!("location: {to}\r\n"), ""),
            Reply::Never | Reply::Garbage => return std::future::pending().await,
        };
        let head = format!("HTTP/1.1 {status} X\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
        drop(socket.write_all(head.as_bytes()).await);
    }
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.split("\r\n").find_map(|line| {
            line.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(&prefix))?;
            line.get(prefix.len()..)
        })
    }
}

async fn read(socket: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    loop {
        let read = socket.read_buf(&mut bytes).await.ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let got = Got { head: head.to_owned(), body: body.to_owned() };
            let length: usize = got.header("content-length").map_or(0, |length| length.parse().unwrap());
            if got.body.len() >= length {
                return Some(got);
            }
        }
        if read == 0 {
            return None;
        }
    }
}

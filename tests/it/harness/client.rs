//! A client that speaks HTTP/1.1, byte by byte: it sends exactly what it is told and reads exactly what comes.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here should take, so only a defect runs into it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Fails the test when it takes too long, which says more than a test that hangs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this should have happened by now")
}

/// One request on a connection of its own, to whoever listens there.
pub(crate) async fn exchange(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let exchange = async {
        let mut socket = TcpStream::connect(address).await?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(body).await?;
        Answer::last_on(&mut socket).await
    };
    soon(exchange).await
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pending: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = soon(TcpStream::connect(address)).await.expect("a running server accepts");
        // Else the second half of a request waits until the system thinks that it has been quiet for long enough.
        stream.set_nodelay(true).expect("a socket that is connected takes options");
        Self { stream, pending: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.expect("the connection holds until the request is sent");
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        self.answer().await
    }

    /// `headers` end each line with CR LF.
    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        self.send(format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n{headers}\r\n")).await;
        self.send(body).await;
        self.answer().await
    }

    /// An answer on a connection that goes on: its body is as long as it says.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.answer_to_head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.pending.len() < length {
            assert!(self.read_more().await > 0, "closed within the body of {answer:?}");
        }
        answer.body = self.pending.drain(..length).collect();
        answer
    }

    /// An answer to HEAD, which ends with its head.
    pub(crate) async fn answer_to_head(&mut self) -> Answer {
        Answer::with_head(&self.head().await)
    }

    /// One head, without the empty line after it.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(head) = take_head(&mut self.pending) {
                return head;
            }
            assert!(self.read_more().await > 0, "closed before a head came");
        }
    }

    /// Everything until the server closes; a reset counts as closing.
    pub(crate) async fn until_closed(&mut self) -> Vec<u8> {
        while self.read_more().await > 0 {}
        std::mem::take(&mut self.pending)
    }

    async fn read_more(&mut self) -> usize {
        soon(self.stream.read_buf(&mut self.pending)).await.unwrap_or_default()
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads until the server closes.
    pub(crate) async fn read(socket: &mut TcpStream) -> Self {
        Self::last_on(socket).await.expect("the connection holds until the answer")
    }

    /// An answer after which the server closes: its body is what comes until then.
    async fn last_on(socket: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).await?;
        let head = take_head(&mut bytes).ok_or(ErrorKind::UnexpectedEof)?;
        let mut answer = Self::with_head(&head);
        let is_chunked = answer.header("transfer-encoding") == Some("chunked");
        answer.body = if is_chunked { dechunked(&bytes) } else { bytes };
        Ok(answer)
    }

    fn with_head(head: &str) -> Self {
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Self { status, headers: lines.filter_map(header).collect(), body: Vec::new() }
    }

    /// The first value of that lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        write!(formatter, "{} {:?} {start}", self.status, self.headers)
    }
}

fn take_head(bytes: &mut Vec<u8>) -> Option<String> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head: Vec<u8> = bytes.drain(..end + 4).collect();
    Some(String::from_utf8(head[..end].to_vec()).unwrap())
}

/// The content of a chunked body. Panics when it was broken off, which is what a test wants to see.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let line_end = body.windows(2).position(|window| window == b"\r\n").expect("a chunk has a length");
        let length = usize::from_str_radix(std::str::from_utf8(&body[..line_end]).unwrap(), 16).unwrap();
        body = &body[line_end + 2..];
        if length == 0 {
            return content;
        }
        content.extend_from_slice(&body[..length]);
        body = &body[length + 2..];
    }
}

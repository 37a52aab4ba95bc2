//! A lean HTTP/1.1 keep-alive client over one blocking socket: one write, one answer, nothing allocated per request.
//!
//! It talks to loopback only; any other address is refused before a socket is opened. It never repeats a request by
//! itself, because only the caller knows whether that is harmless. Knows no scenario.

use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CONNECT_WAIT: Duration = Duration::from_secs(5);
const ANSWER_WAIT: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 64 << 20;
const READ_BYTES: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{0} is not a loopback address; load is sent to loopback only")]
    NotLoopback(SocketAddr),
    #[error("cannot connect to {address}")]
    Connect { address: SocketAddr, source: std::io::Error },
    #[error("the connection failed")]
    Transport(#[source] std::io::Error),
    #[error("the server closed the connection before it had answered")]
    Closed,
    #[error("the answer is not HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// A connection that is opened when it is first needed, and again after a failure.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
    answer_wait: Duration,
}

#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// What the head of an answer says about the rest.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    bytes: usize,
    status: u16,
    framing: Framing,
    close: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Client {
    /// # Errors
    /// When the address is not loopback.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, ClientError> {
        if !address.ip().is_loopback() {
            return Err(ClientError::NotLoopback(address));
        }
        Ok(Self { address, stream: None, received: Vec::with_capacity(READ_BYTES), answer_wait: ANSWER_WAIT })
    }

    /// For what takes longer than requests do.
    pub(crate) fn waiting(mut self, answer_wait: Duration) -> Self {
        self.answer_wait = answer_wait;
        self
    }

    /// Closes the connection; the next request opens another one.
    pub(crate) fn hang_up(&mut self) {
        self.stream = None;
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer<'_>, ClientError> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n", self.address);
        self.exchange(head.as_bytes(), b"")
    }

    pub(crate) fn post(&mut self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer<'_>, ClientError> {
        let head = post_head(self.address, path, content_type, body.len());
        self.exchange(&head, body)
    }

    /// Sends a prepared request and waits for its answer.
    pub(crate) fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<Answer<'_>, ClientError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let written = write_both(&mut stream, head, body);
        // A server may answer and close before it has read everything; its answer says more than the broken pipe.
        let head = read_answer(&mut stream, &mut self.received);
        if let (Err(error), Err(_)) = (written, &head) {
            return Err(ClientError::Transport(error));
        }
        let head = head?;
        if !head.close {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status, body: &self.received[head.bytes..] })
    }

    fn connect(&self) -> Result<TcpStream, ClientError> {
        let connect = || {
            let stream = TcpStream::connect_timeout(&self.address, CONNECT_WAIT)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(self.answer_wait))?;
            stream.set_write_timeout(Some(self.answer_wait))?;
            Ok(stream)
        };
        connect().map_err(|source| ClientError::Connect { address: self.address, source })
    }
}

/// The head of a POST whose body is always equally long.
pub(crate) fn post_head(address: SocketAddr, path: &str, content_type: &str, body_bytes: usize) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {content_type}\r\nContent-Length: {body_bytes}\r\n\r\n"
    )
    .into_bytes()
}

fn write_both(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let written = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
    if written < head.len() {
        stream.write_all(&head[written..])?;
        return stream.write_all(body);
    }
    stream.write_all(&body[written - head.len()..])
}

/// Leaves head and plain body (chunks joined) in `received`.
fn read_answer(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<Head, ClientError> {
    received.clear();
    let mut head = loop {
        read_more(stream, received)?;
        if let Some(head) = parse_head(received)? {
            break head;
        }
    };
    match head.framing {
        Framing::Length(length) => {
            while received.len() < head.bytes + length {
                read_more(stream, received)?;
            }
            received.truncate(head.bytes + length);
        }
        Framing::Chunked => join_chunks(stream, received, head.bytes)?,
    }
    if head.status == 101 {
        head.close = true;
    }
    Ok(head)
}

fn read_more(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<(), ClientError> {
    let known = received.len();
    if known > ANSWER_BYTES_MAX {
        return Err(ClientError::TooLong);
    }
    received.resize(known + READ_BYTES, 0);
    let outcome = stream.read(&mut received[known..]);
    received.truncate(known + outcome.as_ref().copied().unwrap_or(0));
    match outcome {
        Ok(0) => Err(ClientError::Closed),
        Ok(_) => Ok(()),
        Err(error) => Err(ClientError::Transport(error)),
    }
}

fn parse_head(received: &[u8]) -> Result<Option<Head>, ClientError> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&received[..end]).map_err(|_| ClientError::Malformed("the head is not text"))?;
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or(ClientError::Malformed("no status line"))?;
    let mut head = Head { bytes: end + 4, status, framing: Framing::Length(0), close: false };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse().map_err(|_| ClientError::Malformed("the content length is no number"))?;
            head.framing = Framing::Length(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            head.framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("connection") {
            head.close = value.eq_ignore_ascii_case("close");
        }
    }
    if let Framing::Length(length) = head.framing
        && length > ANSWER_BYTES_MAX
    {
        return Err(ClientError::TooLong);
    }
    Ok(Some(head))
}

/// Reads chunks until the last one and leaves only their contents behind the head.
fn join_chunks(stream: &mut impl Read, received: &mut Vec<u8>, head_bytes: usize) -> Result<(), ClientError> {
    let (mut from, mut to) = (head_bytes, head_bytes);
    loop {
        let line_end = loop {
            match received[from..].windows(2).position(|two| two == b"\r\n") {
                Some(place) => break from + place,
                None => read_more(stream, received)?,
            }
        };
        let size = std::str::from_utf8(&received[from..line_end]).ok();
        let size = size.and_then(|line| usize::from_str_radix(line.split(';').next()?.trim(), 16).ok());
        let size =
            size.filter(|size| *size <= ANSWER_BYTES_MAX).ok_or(ClientError::Malformed("a chunk has no size"))?;
        let start = line_end + 2;
        while received.len() < start + size + 2 {
            read_more(stream, received)?;
        }
        received.copy_within(start..start + size, to);
        to += size;
        from = start + size + 2;
        if size == 0 {
            received.truncate(to);
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;

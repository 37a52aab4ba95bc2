//! What sends one request after the other and knows when it is acknowledged.
//!
//! Only a 2xx counts, and of system 002's answer only what it says was inserted. Knows no schedule.

use std::net::SocketAddr;

use crate::client::{self, Client, ClientError};
use crate::data::body::{Body, Dialect};
use crate::data::stream::{Block, Shape, Stream};

/// How many unacknowledged blocks are remembered by name; more than that are only counted.
const UNACKNOWLEDGED_MAX: usize = 10_000;
const REFUSAL_BYTES_MAX: usize = 300;
const LINE_END: &[u8] = b"\r\n";

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("answered {status}: {text}")]
    Refused { status: u16, text: String },
    #[error("the request failed")]
    Client(#[from] ClientError),
    #[error("the COPY failed")]
    Copy(#[from] tokio_postgres::Error),
}

pub(crate) trait Sender: Send {
    /// Makes the next request ready; false when there is nothing left to send.
    fn prepare(&mut self) -> bool;

    /// Sends what was prepared and returns how many samples were acknowledged.
    fn send(&mut self) -> Result<u64, SendError>;
}

impl<S: Sender + ?Sized> Sender for Box<S> {
    fn prepare(&mut self) -> bool {
        (**self).prepare()
    }

    fn send(&mut self) -> Result<u64, SendError> {
        (**self).send()
    }
}

/// How an endpoint says that it took a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Acknowledgement {
    /// Any 2xx takes all of it.
    Status,
    /// System 002: 200 with the number of inserted samples.
    Inserted,
}

/// Where and in what dialect to send.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) dialect: Dialect,
    pub(crate) acknowledgement: Acknowledgement,
}

/// Sends blocks of a stream over one HTTP connection.
#[derive(Debug)]
pub(crate) struct HttpSender {
    client: Client,
    head: Vec<u8>,
    /// How long the head is without a token and the empty line that ends it.
    bare_head_bytes: usize,
    body: Body,
    packed: Option<Packed>,
    stream: Stream,
    samples: u64,
    acknowledgement: Acknowledgement,
    block: Option<Block>,
    unacknowledged: Vec<Block>,
    unacknowledged_count: usize,
}

/// A body as it is sent where it is compressed: of another length each time.
struct Packed {
    endpoint: Endpoint,
    encoder: snap::raw::Encoder,
    head: Vec<u8>,
    bytes: Vec<u8>,
    length: usize,
}

impl Endpoint {
    /// The native ingest of the server under test.
    pub(crate) fn native(address: SocketAddr) -> Self {
        let acknowledgement = Acknowledgement::Inserted;
        Self { address, path: "/api/v1/ingest".into(), dialect: Dialect::Json, acknowledgement }
    }

    /// Remote write 1.0, which all who take it take there.
    pub(crate) fn remote_write(address: SocketAddr) -> Self {
        let acknowledgement = Acknowledgement::Status;
        Self { address, path: "/api/v1/write".into(), dialect: Dialect::RemoteWrite, acknowledgement }
    }

    /// Influx line protocol, at the path given.
    pub(crate) fn influx(address: SocketAddr, path: &str) -> Self {
        Self { address, path: path.into(), dialect: Dialect::Influx, acknowledgement: Acknowledgement::Status }
    }
}

impl HttpSender {
    pub(crate) fn new(endpoint: &Endpoint, shape: Shape, stream: Stream) -> Result<Self, ClientError> {
        let body = Body::new(endpoint.dialect, shape.rows());
        let packed = (endpoint.dialect == Dialect::RemoteWrite).then(|| Packed::new(endpoint));
        let head = head(endpoint, body.bytes().len());
        Ok(Self {
            client: Client::new(endpoint.address)?,
            packed,
            bare_head_bytes: head.len() - LINE_END.len(),
            head,
            body,
            stream,
            samples: shape.samples(),
            acknowledgement: endpoint.acknowledgement,
            block: None,
            unacknowledged: Vec::new(),
            unacknowledged_count: 0,
        })
    }

    /// Sends this token from now on, or none, on a new connection.
    pub(crate) fn show(&mut self, token: Option<&str>) {
        self.head.truncate(self.bare_head_bytes);
        if let Some(token) = token {
            self.head.extend_from_slice(b"Authorization: Bearer ");
            self.head.extend_from_slice(token.as_bytes());
            self.head.extend_from_slice(LINE_END);
        }
        self.head.extend_from_slice(LINE_END);
        self.client.hang_up();
    }

    /// The block that was prepared last.
    pub(crate) fn block(&self) -> Option<&Block> {
        self.block.as_ref()
    }

    /// The blocks that were sent but not acknowledged; `None` when there were too many to remember.
    pub(crate) fn unacknowledged(&self) -> Option<&[Block]> {
        (self.unacknowledged.len() == self.unacknowledged_count).then_some(&self.unacknowledged)
    }

    /// Every host of this sender with the step up to which it was sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (usize, u32)> {
        self.stream.filled()
    }

    /// Sends what was prepared, for a caller that will repeat it until it is acknowledged or [`HttpSender::give_up`].
    /// Anything but a full acknowledgement is an error.
    pub(crate) fn send_again(&mut self) -> Result<(), SendError> {
        let inserted = self.exchange()?;
        if inserted == self.samples {
            return Ok(());
        }
        Err(SendError::Refused { status: 200, text: format!("{inserted} of {} samples were inserted", self.samples) })
    }

    /// Notes that what was prepared last was never acknowledged.
    pub(crate) fn give_up(&mut self) {
        self.unacknowledged_count += 1;
        if let Some(block) = self.block.clone().filter(|_| self.unacknowledged.len() < UNACKNOWLEDGED_MAX) {
            self.unacknowledged.push(block);
        }
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.body.bytes().len()
    }

    fn exchange(&mut self) -> Result<u64, SendError> {
        let answer = match &self.packed {
            Some(packed) => self.client.exchange(&packed.head, &packed.bytes[..packed.length])?,
            None => self.client.exchange(&self.head, self.body.bytes())?,
        };
        let inserted = match self.acknowledgement {
            Acknowledgement::Status => Some(self.samples),
            Acknowledgement::Inserted => inserted(answer.body),
        };
        match inserted {
            Some(inserted) if (200..300).contains(&answer.status) => Ok(inserted.min(self.samples)),
            _ => {
                let shown = &answer.body[..answer.body.len().min(REFUSAL_BYTES_MAX)];
                Err(SendError::Refused { status: answer.status, text: String::from_utf8_lossy(shown).into_owned() })
            }
        }
    }
}

impl Packed {
    fn new(endpoint: &Endpoint) -> Self {
        let (head, bytes) = (Vec::new(), Vec::new());
        Self { endpoint: endpoint.clone(), encoder: snap::raw::Encoder::new(), head, bytes, length: 0 }
    }

    fn pack(&mut self, body: &[u8]) {
        self.bytes.resize(snap::raw::max_compress_len(body.len()), 0);
        self.length = self.encoder.compress(body, &mut self.bytes).expect("there is room for the longest outcome");
        self.head = head(&self.endpoint, self.length);
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Packed").field("length", &self.length).finish_non_exhaustive()
    }
}

/// The head of a request with a body of this length.
fn head(endpoint: &Endpoint, body_bytes: usize) -> Vec<u8> {
    // Behind the type stand the headers that belong to it.
    let content_type = match endpoint.dialect {
        Dialect::Json => "application/json",
        Dialect::RemoteWrite => {
            "application/x-protobuf\r\nContent-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0"
        }
        Dialect::Influx | Dialect::Copy => "text/plain",
    };
    client::post_head(endpoint.address, &endpoint.path, content_type, body_bytes)
}

impl Sender for HttpSender {
    fn prepare(&mut self) -> bool {
        self.block = self.stream.fill(&mut self.body);
        if let Some(packed) = &mut self.packed {
            packed.pack(self.body.bytes());
        }
        self.block.is_some()
    }

    fn send(&mut self) -> Result<u64, SendError> {
        let outcome = self.exchange();
        if outcome.as_ref().ok() != Some(&self.samples) {
            self.give_up();
        }
        outcome
    }
}

/// The number behind `"inserted":`, found without parsing the whole answer.
fn inserted(answer: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"inserted\":";
    let start = answer.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let text = std::str::from_utf8(&answer[start..]).ok()?.trim_start();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_acknowledgement_is_counted_as_it_is_and_its_block_remembered() {
        use std::sync::Arc;

        use crate::data::{Fleet, TimeGrid};
        // The sink acknowledges 1,000 samples whatever it was sent.
        let sink = crate::sink::Sink::start().unwrap();
        let fleet = Arc::new(Fleet::new(1, 2, TimeGrid { end_ms: 0, span_ms: 1_000_000, step_ms: 1000 }));
        for (steps, acknowledged, remembered) in [(100, 1000, 0), (150, 1000, 1), (50, 500, 0)] {
            let shape = Shape { hosts: 1, steps };
            let stream = Stream::new(&fleet, shape, 0, 1);
            let mut sender = HttpSender::new(&Endpoint::native(sink.address()), shape, stream).unwrap();
            assert!(sender.prepare());
            assert_eq!(sender.send().unwrap(), acknowledged, "{steps} steps");
            assert_eq!(sender.unacknowledged().unwrap().len(), remembered, "{steps} steps");
        }
    }

    #[test]
    fn only_what_the_answer_says_was_inserted_counts() {
        assert_eq!(inserted(br#"{"success":true,"inserted":998,"failed":2}"#), Some(998));
        assert_eq!(inserted(br#"{"inserted": 7}"#), Some(7));
        assert_eq!(inserted(br#"{"error":"no"}"#), None);
        assert_eq!(inserted(br#"{"inserted":null}"#), None);
    }
}

//! Every number of the HTTP front, with its default and with what breaks when it is too low or too high.
//!
//! Plain data: whoever reads flags, environment and files fills it in. Nothing in `http` reads an environment.

use std::time::Duration;

use super::cors::Cors;

#[derive(Clone, Debug, Default)]
pub struct Config {
    pub connections: ConnectionConfig,
    pub http2: Http2Config,
    pub body: BodyLimits,
    pub cors: Cors,
}

/// What one socket may cost, and how long it may take over what.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// Sockets open at once, upgraded ones included. At the bound no more are accepted, so that new clients wait in
    /// the kernel's queue. Too low: clients wait although there is room. Too high: file descriptors run out, which
    /// is survived, but slowly (see `accept`).
    pub connections_max: usize,
    /// From the first byte of a request to the end of its head. Too low: distant clients are cut off. Too high: a
    /// few machines can hold every connection with half a request.
    pub head_timeout: Duration,
    /// Between two requests. Too low, or lower than that of a load balancer in front: it sends a request just as we
    /// close, and its client sees a 502. Too high: agents that vanished keep their place.
    pub idle_timeout: Duration,
    /// How long the client may take nothing of what we write. Too low: a paused export breaks. Too high: clients that
    /// stopped reading hold their response in memory.
    pub write_stall_timeout: Duration,
    /// From accepting to the end of the TLS handshake. Too low: distant clients never get in. Too high: silent sockets
    /// hold their place.
    pub tls_handshake_timeout: Duration,
    /// After this a connection is closed when its current requests are answered, so that a load balancer can spread
    /// the agents again. `None`: never.
    pub age_max: Option<Duration>,
    /// How long requests in flight may go on after stopping was asked for. Too low: clients lose answers and send
    /// again. Too high: the process manager kills us before we are done.
    pub drain_deadline: Duration,
    /// Bytes of one request head (HTTP/1.1) or header list (HTTP/2). Too low: large cookies and tokens are refused
    /// with 431. Too high: heads become a cheap way to use up memory.
    pub head_bytes_max: usize,
    /// Header lines of one HTTP/1.1 request; more are refused with 431. Too high: each costs a slot while parsing.
    pub headers_max: usize,
    /// What one read from an HTTP/1.1 socket takes at most; hyper grows towards it while reads come back full. Too
    /// low: a bulk body takes many system calls. Too high: each connection that once sent a bulk body keeps as much.
    pub read_buffer_bytes_max: usize,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_stall_timeout: Duration::from_secs(60),
            tls_handshake_timeout: Duration::from_secs(10),
            age_max: None,
            drain_deadline: Duration::from_secs(20),
            head_bytes_max: 32 * 1024,
            headers_max: 100,
            read_buffer_bytes_max: 256 * 1024,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Http2Config {
    /// Requests at once on one connection. Too low: clients queue. Too high: one socket can take all the budget.
    pub streams_max: u32,
    /// What a client may send of one body before we have read any. Too low: bulk bodies wait a round trip per
    /// window. Too high: memory a client can fill without being read.
    pub stream_window_bytes: u32,
    /// The same for all bodies of a connection together: this bounds what one socket can make us hold.
    pub connection_window_bytes: u32,
    /// The largest HTTP/2 frame we take. Too low: bulk bodies pay for many frame heads. Too high: one stream's frame
    /// holds up the others.
    pub frame_bytes_max: u32,
    /// What is buffered of a response that the client does not take. Too low: throughput on distant links. Too high:
    /// memory that slow readers hold.
    pub send_buffer_bytes_max: usize,
    /// Silence after which the client is asked whether it is there; it has `ping_timeout` to say so. Too low: traffic
    /// and wake-ups for nothing. Too high: clients that vanished keep their place.
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
}

impl Default for Http2Config {
    fn default() -> Self {
        Self {
            streams_max: 128,
            stream_window_bytes: 1024 * 1024,
            connection_window_bytes: 4 * 1024 * 1024,
            frame_bytes_max: 64 * 1024,
            send_buffer_bytes_max: 256 * 1024,
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(15),
        }
    }
}

/// What a request body may cost.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// Bytes on the wire. Too low: bulk senders are refused with 413. Too high: memory a client can make us hold.
    pub body_bytes_max: usize,
    /// Bytes after decompression. Too low: well compressed bulk is refused with 413. Too high: a small body can make
    /// us hold this much.
    pub inflated_bytes_max: usize,
    /// How long a body may bring nothing. Too low: senders on bad links get 408. Too high: half-sent bodies pile up.
    pub stall_timeout: Duration,
    /// How long a body may take in all, however steadily it drips. Too low: large bodies on slow links get 408. Too
    /// high: dripping clients hold what they have sent.
    pub total_timeout: Duration,
    /// Compressed bodies up to this size are inflated where they are; for larger ones the worker thread is left to
    /// others first, because their requests must not wait for longer than some hundred microseconds. Too low: the hop to another thread
    /// costs more than the work.
    pub inflate_inline_bytes_max: usize,
    /// The same for what a body may inflate to, because few bytes can spell many. Too high: small bombs hold up the
    /// other requests of a worker.
    pub inflated_inline_bytes_max: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 * 1024 * 1024,
            inflated_bytes_max: 128 * 1024 * 1024,
            stall_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(120),
            inflate_inline_bytes_max: 32 * 1024,
            inflated_inline_bytes_max: 1024 * 1024,
        }
    }
}

//! hyper's knobs, set once: HTTP/1.1 and HTTP/2 as our [`Config`] wants them.

use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use crate::http::config::Config;
use crate::shutdown::Tasks;

/// The first bytes of an HTTP/2 client that does not negotiate.
pub(super) const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// hyper asserts these ranges, so they are met before it looks.
const HTTP1_BUFFER_BYTES_MIN: usize = 8 * 1024;
const HTTP2_FRAME_BYTES: std::ops::RangeInclusive<u32> = 16 * 1024..=16 * 1024 * 1024 - 1;
const HTTP2_WINDOW_BYTES_MAX: u32 = (1 << 31) - 1;

#[derive(Debug)]
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<StreamTasks>,
}

impl Protocols {
    pub(super) fn new(config: &Config, tasks: &Tasks) -> Self {
        Self { http1: http1(config), http2: http2(config, tasks) }
    }
}

fn http1(config: &Config) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The pulse judges heads and idleness alike; hyper's own timeout cannot tell one from the other.
        .header_read_timeout(None)
        // A client that closes its side is gone: its handler is dropped, rather than working for nobody.
        .half_close(false)
        .max_headers(config.connections.headers_max)
        .max_header_size(config.connections.head_bytes_max)
        .max_buf_size(config.connections.read_buffer_bytes_max.max(HTTP1_BUFFER_BYTES_MIN));
    builder
}

fn http2(config: &Config, tasks: &Tasks) -> http2::Builder<StreamTasks> {
    let limits = &config.http2;
    let mut builder = http2::Builder::new(StreamTasks(tasks.clone()));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .initial_stream_window_size(limits.stream_window_bytes.min(HTTP2_WINDOW_BYTES_MAX))
        .initial_connection_window_size(limits.connection_window_bytes.min(HTTP2_WINDOW_BYTES_MAX))
        .max_frame_size(limits.frame_bytes_max.clamp(*HTTP2_FRAME_BYTES.start(), *HTTP2_FRAME_BYTES.end()))
        .max_send_buf_size(limits.send_buffer_bytes_max)
        .max_header_list_size(u32::try_from(config.connections.head_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

/// Where hyper runs the streams of an HTTP/2 connection: in our group, so that they have a name and an end.
#[derive(Clone, Debug)]
pub(super) struct StreamTasks(Tasks);

impl<F> Executor<F> for StreamTasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        drop(self.0.spawn("http/2 stream", stream));
    }
}

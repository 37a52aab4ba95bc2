//! One socket from its first byte to its last: TLS, protocol, requests, and the end.
//!
//! The driver holds one timer and asks the [`Pulse`] what it means. It polls hyper directly, so that looking for
//! deadlines and for a drain costs an atomic load or two per poll.

use std::convert::Infallible;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::protocol::HTTP2_PREFACE;
use super::pulse::{Busy, Overdue, Patience, Pulse};
use super::request::RequestBody;
use super::response::ResponseBody;
use super::server::Serving;
use super::socket::{Socket, Stream};
use super::stream::BodyAborted;
use super::tls::Tls;

#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) tcp: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// What a drain gives a connection on which nothing is in flight: time for bytes already under way to arrive, and
/// for HTTP/2 to say goodbye. hyper closes idle HTTP/1.1 connections without it.
const DRAIN_GRACE: Duration = Duration::from_millis(250);

/// Serves one connection to its end. Never fails: what goes wrong with one client is logged and over.
pub(super) async fn run(accepted: Accepted, serving: Arc<Serving>) {
    let Accepted { tcp, peer, tls, permit } = accepted;
    let grace = async {
        serving.stage.draining.cancelled().await;
        tokio::time::sleep(DRAIN_GRACE).await;
    };
    let opened = tokio::select! {
        biased;
        opened = open(tcp, tls, &serving) => opened,
        () = grace => return,
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return tracing::debug!(%peer, %error, "connection not opened"),
    };
    let pulse = Arc::new(Pulse::start(opened.http2));
    let socket = Socket::new(opened.stream, opened.first_bytes, Arc::clone(&pulse), permit);
    match converse(socket, opened.http2, peer, &pulse, &serving).await {
        Ended::Closed => tracing::trace!(%peer, "connection closed"),
        Ended::Failed(error) => tracing::debug!(%peer, %error, "connection failed"),
        Ended::Overdue(why) => tracing::debug!(%peer, ?why, "connection overdue, closed"),
        Ended::Abandoned => {
            tracing::warn!(%peer, requests.in_flight = pulse.in_flight(), "connection dropped at the drain deadline");
        }
    }
}

#[derive(Debug)]
enum Ended {
    Closed,
    Failed(hyper::Error),
    Overdue(Overdue),
    Abandoned,
}

struct Opened {
    stream: Stream,
    first_bytes: Vec<u8>,
    http2: bool,
}

/// Speaks TLS where it is spoken, and finds out which HTTP follows.
async fn open(mut tcp: TcpStream, tls: Option<Arc<Tls>>, serving: &Serving) -> io::Result<Opened> {
    if let Some(tls) = tls {
        let stream = timeout(serving.limits.tls_handshake_timeout, tls.accept(tcp)).await??;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        return Ok(Opened { stream: Stream::Tls(Box::new(stream)), first_bytes: Vec::new(), http2 });
    }
    let (first_bytes, http2) = timeout(serving.limits.head_timeout, recognise(&mut tcp)).await??;
    Ok(Opened { stream: Stream::Plain(tcp), first_bytes, http2 })
}

/// Reads until the bytes are the HTTP/2 preface or cannot become it.
async fn recognise(tcp: &mut TcpStream) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::with_capacity(HTTP2_PREFACE.len());
    while bytes.len() < HTTP2_PREFACE.len() {
        let missing = u64::try_from(HTTP2_PREFACE.len() - bytes.len()).unwrap_or_default();
        if (&mut *tcp).take(missing).read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !HTTP2_PREFACE.starts_with(&bytes) {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

async fn converse(socket: Socket, http2: bool, peer: SocketAddr, pulse: &Arc<Pulse>, serving: &Arc<Serving>) -> Ended {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let busy = Busy::enter(pulse);
        let left_unread = Arc::clone(pulse.body_left_unread());
        let front = Arc::clone(&serving.front);
        let request = request.map(|incoming| RequestBody::from_socket(incoming, left_unread));
        async move {
            let response = front.answer(request, peer).await;
            Ok::<_, Infallible>(response.map(|body| Answering { body, _busy: busy }))
        }
    });
    let io = TokioIo::new(socket);
    let retire_at = serving.limits.age_max.map(|age_max| Instant::now() + jittered(age_max, peer));
    if http2 {
        drive(pin!(serving.protocols.http2.serve_connection(io, service)), retire_at, pulse, serving).await
    } else {
        let connection = serving.protocols.http1.serve_connection(io, service).with_upgrades();
        drive(pin!(connection), retire_at, pulse, serving).await
    }
}

/// Agents that connected together shall not all come back together.
fn jittered(age_max: Duration, peer: SocketAddr) -> Duration {
    let percent = 90 + RandomState::new().hash_one(peer) % 20;
    age_max.mul_f64(f64::from(u32::try_from(percent).unwrap_or(100)) / 100.0)
}

/// Polls the connection until it ends, is overdue, or is abandoned; asks it to finish when draining or too old.
async fn drive<C: Conversation>(
    mut connection: Pin<&mut C>,
    mut retire_at: Option<Instant>,
    pulse: &Pulse,
    serving: &Serving,
) -> Ended {
    let limits = &serving.limits;
    let mut patience =
        Patience { head: limits.head_timeout, idle: limits.idle_timeout, write_stall: limits.write_stall_timeout };
    let mut alarm = pin!(sleep_until(Instant::now() + patience.idle));
    let mut wakers = pin!(async {
        serving.stage.draining.cancelled().await;
        serving.stage.abandoned.cancelled().await;
    });
    let mut finishing = false;
    let mut woken_stage = None;
    poll_fn(|context| {
        loop {
            let stage = (serving.stage.is_draining(), serving.stage.is_abandoned());
            if stage.1 {
                return Poll::Ready(Ended::Abandoned);
            }
            // Once per stage: the waker stays registered, because a task's waker does not change.
            if woken_stage.replace(stage) != Some(stage) && wakers.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ended::Abandoned);
            }
            let is_old = retire_at.is_some_and(|at| at <= Instant::now());
            if !finishing && (stage.0 || is_old) {
                finishing = true;
                retire_at = None;
                patience.idle = patience.idle.min(DRAIN_GRACE);
                connection.as_mut().finish();
            }
            if let Poll::Ready(result) = connection.as_mut().poll(context) {
                return Poll::Ready(result.map_or_else(Ended::Failed, |()| Ended::Closed));
            }
            if let Some(why) = std::task::ready!(poll_alarm(alarm.as_mut(), context, (pulse, &patience), retire_at)) {
                return Poll::Ready(Ended::Overdue(why));
            }
        }
    })
    .await
}

/// Pending while nothing is due. Ready with what is overdue, or with nothing when the connection is to retire.
fn poll_alarm(
    mut alarm: Pin<&mut Sleep>,
    context: &mut Context<'_>,
    (pulse, patience): (&Pulse, &Patience),
    retire_at: Option<Instant>,
) -> Poll<Option<Overdue>> {
    loop {
        let due = pulse.due(patience);
        let next = due.map(|(at, _)| at).into_iter().chain(retire_at).min();
        if let Some(next) = next
            && next < alarm.deadline()
        {
            alarm.as_mut().reset(next);
        }
        std::task::ready!(alarm.as_mut().poll(context));
        let now = Instant::now();
        match due {
            Some((at, why)) if at <= now => return Poll::Ready(Some(why)),
            _ if retire_at.is_some_and(|at| at <= now) => return Poll::Ready(None),
            // On HTTP/2 a request may end without this task being polled, so the alarm is never off.
            _ => alarm.as_mut().reset(next.unwrap_or(now + patience.idle.max(Duration::from_millis(1)))),
        }
    }
}

/// The two kinds of hyper connection, as far as the driver cares.
trait Conversation: Future<Output = hyper::Result<()>> {
    /// No more requests; what is in flight is answered, then the connection ends.
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Conversation for hyper::server::conn::http1::UpgradeableConnection<I, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> Conversation for hyper::server::conn::http2::Connection<I, S, E>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A response body that keeps its request in flight until it is written or given up.
#[derive(Debug)]
struct Answering {
    body: ResponseBody,
    _busy: Busy,
}

impl Body for Answering {
    type Data = Bytes;
    type Error = BodyAborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyAborted>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! One socket from its first byte to its last: opened, recognised, served, and gone.

mod accept; // one accept loop
mod drive; // a connection's timer, its drain
pub(super) mod listener; // a bound socket, perhaps with TLS
mod open; // its first bytes
mod protocol; // hyper's knobs, HTTP/1.1 and HTTP/2
mod pulse; // what a connection is doing, and when that has lasted too long
pub mod server; // accept on all listeners, drain at the end
mod socket; // the byte stream hyper sees
pub mod tls; // certificates, and their replacement while running

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::RequestBody;
use super::ResponseBody;
use super::streamed_body::BodyAborted;
use drive::{DRAIN_GRACE, Ended, drive};
use open::open;
use pulse::{Busy, Pulse, Untaken};
use server::Serving;
use socket::Socket;
use tls::Tls;

#[derive(Debug)]
struct Accepted {
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    permit: OwnedSemaphorePermit,
}

/// Serves one connection to its end. Never fails: what goes wrong with one client is logged and over.
async fn run(accepted: Accepted, serving: Arc<Serving>) {
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

async fn converse(socket: Socket, http2: bool, peer: SocketAddr, pulse: &Arc<Pulse>, serving: &Arc<Serving>) -> Ended {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let busy = Busy::enter(pulse);
        let left_unread = Arc::clone(pulse.body_left_unread());
        let front = Arc::clone(&serving.front);
        let request = request.map(|incoming| RequestBody::from_socket(incoming, left_unread));
        async move {
            let response = front.answer(request, peer).await;
            Ok::<_, Infallible>(response.map(|body| Answering { body, busy }))
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

/// A response body that keeps its request in flight until it is written or given up.
#[derive(Debug)]
struct Answering {
    body: ResponseBody,
    busy: Busy,
}

impl Body for Answering {
    type Data = Untaken;
    type Error = BodyAborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Untaken>, BodyAborted>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| frame.map_data(|piece| self.busy.untaken(piece)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

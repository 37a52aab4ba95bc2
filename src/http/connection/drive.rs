//! Drives one hyper connection: polls it, ends it when it is overdue, lets it finish when draining or too old.
//!
//! One timer per connection, and the [`Pulse`] says what it means when it rings. hyper is polled directly rather than
//! beside other futures, so that looking for deadlines and for a drain costs an atomic load or two per poll.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::{Overdue, Patience, Pulse};
use super::server::Serving;

/// What a drain gives a connection on which nothing is in flight: time for bytes already under way to arrive, and
/// for HTTP/2 to say goodbye. hyper closes idle HTTP/1.1 connections without it.
pub(super) const DRAIN_GRACE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) enum Ended {
    Closed,
    Failed(hyper::Error),
    Overdue(Overdue),
    Abandoned,
}

impl Ended {
    fn of(result: hyper::Result<()>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Closed)
    }
}

/// Polls the connection until it ends, is overdue, or is abandoned; asks it to finish when draining or too old.
pub(super) async fn drive<C: Conversation>(
    mut connection: Pin<&mut C>,
    mut retire_at: Option<Instant>,
    pulse: &Pulse,
    serving: &Serving,
) -> Ended {
    let limits = &serving.limits;
    let mut patience =
        Patience { head: limits.head_timeout, idle: limits.idle_timeout, write_stall: limits.write_stall_timeout };
    let mut alarm = pin!(sleep_until(Instant::now() + patience.idle));
    let mut changes =
        pin!(async { tokio::join!(serving.stage.draining.cancelled(), serving.stage.abandoned.cancelled()) });
    let mut registered = false;
    let mut finishing = false;
    poll_fn(|context| {
        // Once, for both: a task's waker does not change, so they stay registered, and no change can fall between.
        if !std::mem::replace(&mut registered, true) && changes.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ended::Abandoned);
        }
        loop {
            if serving.stage.is_abandoned() {
                return Poll::Ready(Ended::Abandoned);
            }
            let is_old = retire_at.is_some_and(|at| at <= Instant::now());
            if !finishing && (serving.stage.is_draining() || is_old) {
                finishing = true;
                retire_at = None;
                patience.idle = patience.idle.min(DRAIN_GRACE);
                pulse.rest();
                // It takes a request that it has not read yet for none, so it reads before it is asked to finish.
                if !pulse.is_busy()
                    && let Poll::Ready(result) = connection.as_mut().poll(context)
                {
                    return Poll::Ready(Ended::of(result));
                }
                connection.as_mut().finish();
            }
            if let Poll::Ready(result) = connection.as_mut().poll(context) {
                return Poll::Ready(Ended::of(result));
            }
            if let Some(why) = ready!(poll_alarm(alarm.as_mut(), context, (pulse, &patience), retire_at)) {
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
        ready!(alarm.as_mut().poll(context));
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
pub(super) trait Conversation: Future<Output = hyper::Result<()>> {
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

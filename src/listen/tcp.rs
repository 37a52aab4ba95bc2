//! Connections: bounded in number, closed when they are idle for long.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::Dialect;
use super::door::Door;
use super::lines::Lines;
use crate::backoff::Backoff;
use crate::shutdown::Tasks;
use crate::telemetry::metrics::DropReason;
use crate::wire::{graphite, statsd};

/// How long a connection may say nothing. Too low: agents that send once in a while connect anew each time.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Accepts until the tasks are asked to stop, and never ends because of an error.
pub(super) async fn accept(listener: TcpListener, door: Door, connections_max: usize, tasks: Tasks) {
    let room = Arc::new(Semaphore::new(connections_max));
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        // Taken before a socket is accepted: at the bound clients wait in the kernel's queue.
        let accepting = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            () = tasks.stopping() => return,
            accepted = accepting => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                backoff.reset();
                let (door, stopping) = (door.clone(), tasks.stopping());
                let reading = async move {
                    let _permit = permit;
                    door.connected(1);
                    let ended = read(socket, peer.ip(), &door, stopping).await;
                    door.connected(-1);
                    tracing::debug!(%peer, ended = ended.err().map(tracing::field::display), "line connection ended");
                };
                drop(tasks.spawn("line connection", reading));
            }
            Err(error) => {
                let pause = backoff.pause();
                tracing::debug!(%error, pause_ms = pause.as_millis(), "cannot accept");
                tokio::select! {
                    () = tasks.stopping() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

/// Reads lines until the client is done, idle for long, or the server stops.
async fn read(mut socket: TcpStream, from: IpAddr, door: &Door, stopping: impl Future<Output = ()>) -> io::Result<()> {
    let mut stopping = std::pin::pin!(stopping);
    let line_bytes_max = match door.dialect() {
        Dialect::Graphite => graphite::LINE_BYTES_MAX,
        Dialect::Statsd => statsd::LINE_BYTES_MAX,
    };
    let (mut lines, mut buffer) = (Lines::new(line_bytes_max), vec![0; READ_BYTES]);
    let ended = loop {
        let reading = timeout(IDLE_MAX, socket.read(&mut buffer));
        let count = tokio::select! {
            biased;
            // What has arrived is read before anyone goes.
            read = reading => match read {
                Ok(Ok(count)) => count,
                Ok(Err(error)) => break Err(error),
                Err(_) => break Err(io::ErrorKind::TimedOut.into()),
            },
            () = &mut stopping => break Ok(()),
        };
        if count == 0 {
            break Ok(());
        }
        door.enter(from, lines.push(&buffer[..count])).await;
        door.dropped(DropReason::LineTooLong, lines.take_too_long());
    };
    // Half a number is another number, so what has no end is not taken.
    door.dropped(DropReason::CutOff, u64::from(lines.is_cut_off()));
    ended
}

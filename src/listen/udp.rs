//! Datagrams: whole lines each, with or without an end behind the last one. Those that wait in the kernel are taken
//! together.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::door::Door;
use crate::backoff::Backoff;

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 64 * 1024;
/// Datagrams of one sender are handed on together up to this size.
const PIECE_BYTES_MAX: usize = 64 * 1024;
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Reads until `stopping` resolves, and then what is there already.
pub(super) async fn read(socket: UdpSocket, door: Door, stopping: impl Future<Output = ()>) {
    let mut stopping = std::pin::pin!(stopping);
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    let mut reader = Reader { buffer: vec![0; DATAGRAM_BYTES_MAX], gathered: Vec::new(), from: None, door: &door };
    loop {
        let readable = tokio::select! {
            () = &mut stopping => return reader.drain(&socket),
            readable = socket.readable() => readable,
        };
        match readable {
            Ok(()) => {
                backoff.reset();
                reader.drain(&socket);
                // A flood must not keep this worker thread from everyone else.
                tokio::task::yield_now().await;
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read datagrams");
                sleep(backoff.pause()).await;
            }
        }
    }
}

struct Reader<'a> {
    buffer: Vec<u8>,
    gathered: Vec<u8>,
    from: Option<IpAddr>,
    door: &'a Door,
}

impl Reader<'_> {
    /// Takes what the kernel holds, at most a few pieces of it.
    fn drain(&mut self, socket: &UdpSocket) {
        const DATAGRAMS_MAX: usize = 4_096;
        for _ in 0..DATAGRAMS_MAX {
            // An error concerns something sent earlier by others; the next datagram is not worse for it.
            let Ok((length, from)) = socket.try_recv_from(&mut self.buffer) else { break };
            self.take(length, from);
        }
        self.hand_on();
    }

    fn take(&mut self, length: usize, from: SocketAddr) {
        if self.from.is_some_and(|sender| sender != from.ip()) || self.gathered.len() + length > PIECE_BYTES_MAX {
            self.hand_on();
        }
        self.from = Some(from.ip());
        self.gathered.extend_from_slice(&self.buffer[..length]);
        if !self.gathered.ends_with(b"\n") {
            self.gathered.push(b'\n');
        }
    }

    fn hand_on(&mut self) {
        if let Some(from) = self.from.take() {
            self.door.offer(from, std::mem::take(&mut self.gathered));
        }
    }
}

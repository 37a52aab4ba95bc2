//! One accept loop. It ends when the group stops and never because of an error.
//!
//! A permit is taken before a socket is accepted, so at the bound clients wait in the kernel's queue. Errors of the
//! machine (no file descriptors, no memory) are waited out, longer each time, because they would come back at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Accepted;
use super::listener::Listener;
use super::server::Serving;
use crate::backoff::Backoff;

const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

pub(super) async fn run(listener: Listener, serving: Arc<Serving>) {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        let accepting = async {
            let permit = Arc::clone(&serving.room).acquire_owned().await;
            (permit, listener.tcp.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = serving.tasks.stopping() => return,
            accepted = accepting => accepted,
        };
        // The semaphore is never closed; if it were, nothing could be accepted any more.
        let Ok(permit) = permit else { return };
        match accepted {
            Ok((tcp, peer)) => {
                backoff.reset();
                set_options(&tcp);
                let accepted = Accepted { tcp, peer, tls: listener.tls.clone(), permit };
                let running = super::run(accepted, Arc::clone(&serving));
                drop(serving.tasks.spawn("http connection", serving.connections.track_future(running)));
            }
            // The client was gone before we came: its trouble, not ours.
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                let pause = backoff.pause();
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept");
                drop(permit);
                tokio::select! {
                    () = serving.tasks.stopping() => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

/// Answers are written whole, so waiting for more to send (Nagle) only delays them.
fn set_options(tcp: &TcpStream) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_descriptors_is_not_the_clients_doing() {
        const EMFILE: i32 = 24;
        assert!(!is_of_the_client(&io::Error::from_raw_os_error(EMFILE)));
        assert!(is_of_the_client(&io::ErrorKind::ConnectionAborted.into()));
    }
}

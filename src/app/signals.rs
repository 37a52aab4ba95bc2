//! What the operating system asks for: to stop, or to read the certificates again.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::http::tls::Tls;

/// The signals that ask a server to stop.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on these signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Resolves with the first of them.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Reads the certificates again at every SIGHUP until `stopping` resolves. Broken files leave the old ones in use.
pub(super) async fn reload_on_hangup(tls: Arc<Tls>, stopping: impl Future<Output = ()>) {
    let mut stopping = std::pin::pin!(stopping);
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => return tracing::error!(%error, "certificates will not be read again on SIGHUP"),
    };
    loop {
        tokio::select! {
            () = &mut stopping => return,
            received = hangup.recv() => if received.is_none() { return },
        }
        match tls.reload() {
            Ok(()) => tracing::info!("certificates read again"),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "certificates not changed"),
        }
    }
}

//! What the operating system asks for: to stop, or to read the certificates again.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::http::tls::Tls;

/// The signals that ask a server to stop. A closed terminal (SIGHUP) does too, unless it is to mean something else.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on these signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen(hangup_stops: bool) -> io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup_stops.then_some(hangup),
        })
    }

    /// Resolves with the first of them.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = received(self.hangup.as_mut()) => {}
        }
    }
}

/// Resolves with the signal, or never when it is not listened to.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
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

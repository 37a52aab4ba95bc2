//! Accepts on all listeners until asked to stop, then drains.
//!
//! Draining: no more is accepted, idle connections are closed, every request in flight is answered and its connection
//! closed after it. What is not done at the deadline is dropped and counted. Upgraded sockets belong to whoever
//! upgraded them and are not waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept;
use super::listener::Listener;
use super::protocol::Protocols;
use crate::http::Front;
use crate::http::config::{Config, ConnectionConfig};
use crate::shutdown::Tasks;

/// How long abandoned connections may take to let go.
const ABANDONED_DEADLINE: Duration = Duration::from_secs(1);

/// How the serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that still had requests in flight at the drain deadline.
    pub connections_dropped: usize,
}

/// Serves until `tasks` is asked to stop, and returns when drained. The deadline of `Tasks::stop` must be longer than
/// `drain_deadline`.
pub async fn serve(listeners: Vec<Listener>, front: Arc<Front>, config: &Config, tasks: Tasks) -> Drained {
    let serving = Arc::new(Serving::new(front, config, &tasks));
    for listener in listeners {
        drop(tasks.spawn("http accept", accept::run(listener, Arc::clone(&serving))));
    }
    tasks.stopping().await;
    serving.drain().await
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) front: Arc<Front>,
    pub(super) protocols: Protocols,
    pub(super) limits: ConnectionConfig,
    /// A permit per socket.
    pub(super) room: Arc<Semaphore>,
    pub(super) connections: TaskTracker,
    pub(super) stage: Stage,
    pub(super) tasks: Tasks,
}

impl Serving {
    fn new(front: Arc<Front>, config: &Config, tasks: &Tasks) -> Self {
        Self {
            front,
            protocols: Protocols::new(config, tasks),
            limits: config.connections.clone(),
            room: Arc::new(Semaphore::new(config.connections.connections_max.min(Semaphore::MAX_PERMITS))),
            connections: TaskTracker::new(),
            stage: Stage::default(),
            tasks: tasks.clone(),
        }
    }

    async fn drain(&self) -> Drained {
        self.stage.drain();
        self.connections.close();
        if tokio::time::timeout(self.limits.drain_deadline, self.connections.wait()).await.is_ok() {
            return Drained { connections_dropped: 0 };
        }
        let connections_dropped = self.connections.len();
        tracing::warn!(connections.dropped = connections_dropped, "drain deadline passed");
        self.stage.abandon();
        // They end at their next poll, which the stage change has just asked for, unless one never returns from its last.
        if tokio::time::timeout(ABANDONED_DEADLINE, self.connections.wait()).await.is_err() {
            tracing::warn!(connections.left = self.connections.len(), "connections did not let go");
        }
        Drained { connections_dropped }
    }
}

/// Whether connections go on, finish what they have, or end now.
///
/// A connection looks at the number on every poll, which is an atomic load; the tokens, whose polling takes a lock
/// that all connections share, only wake it when the number has changed.
#[derive(Debug, Default)]
pub(super) struct Stage {
    number: AtomicU8,
    pub(super) draining: CancellationToken,
    pub(super) abandoned: CancellationToken,
}

const DRAINING: u8 = 1;
const ABANDONED: u8 = 2;

impl Stage {
    pub(super) fn is_draining(&self) -> bool {
        self.number.load(Ordering::Acquire) >= DRAINING
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.number.load(Ordering::Acquire) >= ABANDONED
    }

    fn drain(&self) {
        self.number.store(DRAINING, Ordering::Release);
        self.draining.cancel();
    }

    fn abandon(&self) {
        self.number.store(ABANDONED, Ordering::Release);
        self.abandoned.cancel();
    }
}

#[cfg(test)]
mod tests;

//! Lines that agents send over TCP and UDP without waiting for an answer: Graphite and StatsD.
//!
//! ```text
//! tcp connection ─┐ whole lines                     by size or time
//!                 ├─▶ bounded queue ─▶ gather ─▶ window, catalog ─▶ journal.commit
//! udp socket ─────┘ (tcp waits, udp drops)
//! ```
//!
//! Invariants:
//! - nobody is answered, so nothing is lost without being counted: refused by code with all other refusals, dropped by
//!   reason in `listen_lines_dropped`;
//! - a connection that sends faster than PostgreSQL commits waits; datagrams cannot wait and are dropped;
//! - when it stops, what was read is committed before the journal closes.
//!
//! Knows `wire`, `admit`, `catalog` and `journal`. Must not know HTTP, nor who asks for samples.

mod lines; // pieces of a stream to whole lines
mod door; // the way into the queue: rates, room, what waits and what is dropped
mod tcp; // connections
mod udp; // datagrams
mod gather; // lines to batches, by size and time
mod commit; // batches to the journal

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::sync::mpsc;

use crate::admit::budget::Budget;
use crate::admit::rate::Rates;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::rejects::Rejects;
use crate::shutdown::Tasks;
use crate::telemetry::Metrics;
use door::Door;
use gather::Gatherer;

/// Pieces of lines that wait to be gathered. Too high: late samples. Too low: datagrams are dropped during a commit.
const QUEUE_PIECES_MAX: usize = 64;
/// Connections the kernel holds for us while we are at the bound.
const BACKLOG: u32 = 128;

/// What the lines are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Graphite,
    Statsd,
}

impl Dialect {
    pub fn name(self) -> &'static str {
        match self {
            Self::Graphite => "graphite",
            Self::Statsd => "statsd",
        }
    }
}

/// One dialect on one address, TCP and UDP.
#[derive(Clone, Debug)]
pub struct Config {
    pub dialect: Dialect,
    pub address: SocketAddr,
    /// The server of lines that name none.
    pub default_host: String,
    pub connections_max: usize,
    /// How long samples are gathered before they are committed.
    pub flush_interval: Duration,
}

/// What samples go through.
#[derive(Clone, Debug)]
pub struct Stages {
    pub catalog: Arc<Catalog>,
    pub journal: Arc<Journal>,
    pub budget: Budget,
    pub rates: Arc<Rates>,
    pub metrics: Arc<Metrics>,
    pub rejects: Arc<Rejects>,
    pub clock: Arc<dyn Clock>,
    pub past: Duration,
    pub future: Duration,
}

/// The two sockets of a dialect, bound and not yet read.
#[derive(Debug)]
pub struct Sockets {
    config: Config,
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Sockets {
    /// Binds both to the same port, also when the system chooses it.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub async fn bind(config: Config) -> io::Result<Self> {
        let socket = if config.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(config.address)?;
        let tcp = socket.listen(BACKLOG)?;
        let udp = UdpSocket::bind(tcp.local_addr()?).await?;
        Ok(Self { config, tcp, udp })
    }

    pub fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// # Errors
    /// When the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Starts to read, as tasks of `tasks`. When those are asked to stop, all that was read is committed first.
    pub fn start(self, stages: &Stages, tasks: &Tasks) {
        let Self { config, tcp, udp } = self;
        let (queue, pieces) = mpsc::channel(QUEUE_PIECES_MAX);
        let door = Door::new(config.dialect, queue, stages);
        let listening = tcp::accept(tcp, door.clone(), config.connections_max, tasks.clone());
        drop(tasks.spawn("line listener", listening));
        drop(tasks.spawn("datagrams", udp::read(udp, door, tasks.stopping())));
        // It ends by itself once the queue has no more senders, which those above are.
        drop(tasks.spawn("gathering lines", Gatherer::new(config, stages.clone()).run(pieces)));
    }
}

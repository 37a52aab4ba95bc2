//! What Millrace is compared with, each started over a fresh directory on loopback and stopped again.
//!
//! A peer hands out senders; the schedule treats them all alike. Knows no measurement.

pub(crate) mod copy;
pub(crate) mod influx;
pub(crate) mod millrace;
pub(crate) mod victoria;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, ClientError};
use crate::data::Fleet;
use crate::data::stream::{Shape, Stream};
use crate::process::{Daemon, ProcessError};
use crate::sender::{Endpoint, HttpSender, Sender};
use crate::server::{self, ServerError};

const READY_WAIT: Duration = Duration::from_secs(60);
const STOP_WAIT: Duration = Duration::from_secs(120);

#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot prepare {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot run {program}")]
    Tool { program: String, source: io::Error },
    #[error("{program} failed: {text}")]
    ToolFailed { program: String, text: String },
    #[error("PostgreSQL refused")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("{what} was answered {status}")]
    Refused { what: &'static str, status: u16 },
}

/// A program that takes samples.
pub(crate) trait Peer {
    fn name(&self) -> String;

    /// How many hosts and steps it is sent in a request.
    fn shape(&self) -> Shape;

    /// False when the program is not installed.
    fn is_installed(&self) -> bool;

    /// Starts it over `dir`, which is empty.
    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError>;
}

/// A started peer.
pub(crate) trait Running {
    /// Makes the fleet known where that is needed, and takes over the ids it is given.
    fn register(&self, _fleet: &mut Fleet, _connections: usize) -> Result<(), PeerError> {
        Ok(())
    }

    fn senders(&self, fleet: &Arc<Fleet>, connections: usize) -> Result<Vec<Box<dyn Sender>>, PeerError>;

    /// Has it put everything where it stays, when it does so only with time.
    fn settle(&self) -> Result<(), PeerError> {
        Ok(())
    }

    /// Ends it in the way that writes everything out.
    fn stop(self: Box<Self>) -> Result<(), PeerError>;
}

/// A peer that is one program and one HTTP endpoint.
#[derive(Debug)]
struct HttpPeer {
    daemon: Daemon,
    endpoint: Endpoint,
    shape: Shape,
}

impl HttpPeer {
    fn start(command: Command, dir: &Path, endpoint: Endpoint, shape: Shape, health: &str) -> Result<Self, PeerError> {
        let mut daemon = Daemon::start(command, &dir.join("peer.log"))?;
        let mut client = Client::new(endpoint.address)?;
        let mut is_ready = || client.get(health).is_ok_and(|answer| (200..300).contains(&answer.status));
        daemon.wait_until_ready(READY_WAIT, &mut is_ready)?;
        Ok(Self { daemon, endpoint, shape })
    }
}

impl Running for HttpPeer {
    fn senders(&self, fleet: &Arc<Fleet>, connections: usize) -> Result<Vec<Box<dyn Sender>>, PeerError> {
        http_senders(&self.endpoint, self.shape, fleet, connections)
    }

    fn stop(mut self: Box<Self>) -> Result<(), PeerError> {
        self.daemon.stop("TERM", STOP_WAIT)?;
        Ok(())
    }
}

fn http_senders(
    endpoint: &Endpoint,
    shape: Shape,
    fleet: &Arc<Fleet>,
    connections: usize,
) -> Result<Vec<Box<dyn Sender>>, PeerError> {
    let sender = |worker| -> Result<Box<dyn Sender>, PeerError> {
        Ok(Box::new(HttpSender::new(endpoint, shape, Stream::new(fleet, shape, worker, connections))?))
    };
    (0..connections).map(sender).collect()
}

fn free_address() -> Result<SocketAddr, PeerError> {
    Ok(server::free_address().map_err(ServerError::Port)?)
}

fn is_on_path(program: &str) -> bool {
    Command::new("which").arg(program).output().is_ok_and(|output| output.status.success())
}

//! VictoriaMetrics, single node, fed with Influx lines. It acknowledges from memory.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{HttpPeer, Peer, PeerError, Running};
use crate::data::stream::Shape;
use crate::sender::Endpoint;
use crate::server::{self, ServerError};

const PROGRAM: &str = "victoria-metrics";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Victoria {
    pub(crate) shape: Shape,
}

impl Peer for Victoria {
    fn name(&self) -> String {
        "VictoriaMetrics, Influx lines".into()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn is_installed(&self) -> bool {
        is_installed()
    }

    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError> {
        let address = server::free_address().map_err(ServerError::Port)?;
        let endpoint = Endpoint::influx(address, "/write");
        Ok(Box::new(HttpPeer::start(command(dir, address), dir, endpoint, self.shape, "/health")?))
    }
}

pub(crate) fn is_installed() -> bool {
    super::is_on_path(PROGRAM)
}

/// Starts it over the directory `data` in `dir`.
pub(crate) fn command(dir: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg(format!("-storageDataPath={}", dir.join("data").display()));
    command.arg(format!("-httpListenAddr={address}"));
    command.args(["-retentionPeriod=100y", "-loggerLevel=WARN"]);
    command
}

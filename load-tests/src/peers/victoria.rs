//! VictoriaMetrics, single node, fed with Influx lines or remote write. It acknowledges from memory.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{HttpPeer, Peer, PeerError, Running};
use crate::data::body::Dialect;
use crate::data::stream::Shape;
use crate::sender::Endpoint;

const PROGRAM: &str = "victoria-metrics";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Victoria {
    pub(crate) shape: Shape,
    pub(crate) dialect: Dialect,
}

impl Peer for Victoria {
    fn name(&self) -> String {
        match self.dialect {
            Dialect::RemoteWrite => "VictoriaMetrics, remote write".into(),
            _ => "VictoriaMetrics, Influx lines".into(),
        }
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn is_installed(&self) -> bool {
        is_installed()
    }

    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError> {
        let address = super::free_address()?;
        let endpoint = match self.dialect {
            Dialect::RemoteWrite => Endpoint::remote_write(address),
            _ => Endpoint::influx(address, "/write"),
        };
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

//! The server under test as one of the compared programs. It acknowledges after the commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Peer, PeerError, Running, http_senders};
use crate::data::Fleet;
use crate::data::body::Dialect;
use crate::data::stream::Shape;
use crate::sender::{Endpoint, Sender};
use crate::server::{Launch, Server};

/// Millrace with one of its dialects.
#[derive(Clone, Debug)]
pub(crate) struct Millrace {
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) shape: Shape,
    pub(crate) spoken: Spoken,
}

/// What it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Spoken {
    Json,
    /// At this path.
    Influx(String),
    RemoteWrite,
}

#[derive(Debug)]
struct RunningMillrace {
    server: Server,
    endpoint: Endpoint,
    shape: Shape,
}

impl Peer for Millrace {
    fn name(&self) -> String {
        let dialect = match self.spoken {
            Spoken::Json => "native JSON",
            Spoken::Influx(_) => "Influx lines",
            Spoken::RemoteWrite => "remote write",
        };
        format!("Millrace, {dialect}")
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn is_installed(&self) -> bool {
        self.binary.is_file()
    }

    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError> {
        let (binary, arguments) = (self.binary.clone(), self.arguments.clone());
        let server = Server::start(Launch { binary, arguments, dir: dir.to_owned() })?;
        let endpoint = match &self.spoken {
            Spoken::Json => Endpoint::native(server.address()),
            Spoken::Influx(path) => Endpoint::influx(server.address(), path),
            Spoken::RemoteWrite => Endpoint::remote_write(server.address()),
        };
        Ok(Box::new(RunningMillrace { server, endpoint, shape: self.shape }))
    }
}

impl Running for RunningMillrace {
    fn register(&self, fleet: &mut Fleet, connections: usize) -> Result<(), PeerError> {
        // The others name their host by a tag or label; only native requests need the server's id.
        if self.endpoint.dialect == Dialect::Json {
            self.server.register(fleet, connections)?;
        }
        Ok(())
    }

    fn senders(&self, fleet: &Arc<Fleet>, connections: usize) -> Result<Vec<Box<dyn Sender>>, PeerError> {
        http_senders(&self.endpoint, self.shape, fleet, connections)
    }

    fn settle(&self) -> Result<(), PeerError> {
        Ok(self.server.settle()?)
    }

    fn stop(self: Box<Self>) -> Result<(), PeerError> {
        Ok(self.server.stop()?)
    }
}

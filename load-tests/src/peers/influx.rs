//! InfluxDB 1.x, fed with Influx lines. It acknowledges after its write-ahead log.

use std::path::Path;
use std::process::Command;

use super::{HttpPeer, Peer, PeerError, Running};
use crate::client::Client;
use crate::data::stream::Shape;
use crate::sender::Endpoint;

const PROGRAM: &str = "influxd";
const CREATE_DATABASE: &str = "/query?q=CREATE+DATABASE+load";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Influx {
    pub(crate) shape: Shape,
}

impl Peer for Influx {
    fn name(&self) -> String {
        "InfluxDB 1.x, Influx lines".into()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn is_installed(&self) -> bool {
        super::is_on_path(PROGRAM)
    }

    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError> {
        let (address, backup) = (super::free_address()?, super::free_address()?);
        let path = dir.join("influxdb.conf");
        let config = config(dir, &address.to_string(), &backup.to_string());
        std::fs::write(&path, config).map_err(|source| PeerError::File { path: path.clone(), source })?;
        let mut command = Command::new(PROGRAM);
        command.arg("run").arg("-config").arg(&path);
        let endpoint = Endpoint::influx(address, "/write?db=load");
        let peer = HttpPeer::start(command, dir, endpoint, self.shape, "/ping")?;
        let mut client = Client::new(address)?;
        let status = client.post(CREATE_DATABASE, "application/x-www-form-urlencoded", b"")?.status;
        if status != 200 {
            return Err(PeerError::Refused { what: "creating the database", status });
        }
        Ok(Box::new(peer))
    }
}

/// Loopback only, nothing reported anywhere, no limits that the load would meet.
fn config(dir: &Path, address: &str, backup: &str) -> String {
    let dir = dir.join("data");
    let dir = dir.display();
    format!(
        r#"reporting-disabled = true
bind-address = "{backup}"
[meta]
dir = "{dir}/meta"
logging-enabled = false
[data]
dir = "{dir}/data"
wal-dir = "{dir}/wal"
query-log-enabled = false
max-series-per-database = 0
[monitor]
store-enabled = false
[http]
bind-address = "{address}"
log-enabled = false
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_reports_nothing_and_listens_where_it_is_told() {
        let text = config(Path::new("/x"), "127.0.0.1:1", "127.0.0.1:2");
        assert!(text.starts_with("reporting-disabled = true\nbind-address = \"127.0.0.1:2\"\n"));
        assert!(text.contains("bind-address = \"127.0.0.1:1\"\nlog-enabled = false"));
        assert!(text.contains("wal-dir = \"/x/data/wal\""));
    }
}

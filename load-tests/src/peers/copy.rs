//! The baseline: binary COPY of one row a sample into the table of system 002, one commit a request, fsync on.
//!
//! The table has the source system's columns, its primary key and its index, and is partitioned by month. PostgreSQL
//! runs on a unix socket in the directory of the run; as root it is run as `postgres`, since it refuses to be root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::{Peer, PeerError, Running};
use crate::data::Fleet;
use crate::data::body::{Body, Dialect};
use crate::data::stream::{Shape, Stream};
use crate::process::{self, Daemon};
use crate::sender::{SendError, Sender};

const READY_WAIT: Duration = Duration::from_secs(60);
const STOP_WAIT: Duration = Duration::from_secs(120);
/// SIGINT is PostgreSQL's fast shutdown: sessions end, a checkpoint is written.
const STOP_BY: &str = "INT";
const ACCOUNT: &str = "postgres";
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";
/// Room for a load that is not about checkpoints; durability is left as it is by default.
const SETTINGS: [&str; 5] =
    ["listen_addresses=", "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];
const SCHEMA: &str = "
    create table metrics (
        id bigserial, server_id uuid not null, metric_type text not null, metric_name text not null,
        value double precision not null, labels jsonb, timestamp timestamptz not null,
        primary key (id, timestamp)
    ) partition by range (timestamp);
    create index on metrics (server_id, metric_type, timestamp desc);
    do $$ begin for back in 0..3 loop
        execute format('create table metrics_%s partition of metrics for values from (%L) to (%L)', back,
            date_trunc('month', now()) - make_interval(months => back),
            date_trunc('month', now()) - make_interval(months => back - 1));
    end loop; end $$;";
const COPY: &str =
    "copy metrics (server_id, metric_type, metric_name, value, labels, timestamp) from stdin (format binary)";

/// One row a sample, so many rows a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy {
    pub(crate) shape: Shape,
}

#[derive(Debug)]
struct RunningPostgres {
    daemon: Daemon,
    socket_dir: PathBuf,
    shape: Shape,
}

struct CopySender {
    runtime: Runtime,
    client: Client,
    statement: Statement,
    body: Body,
    stream: Stream,
    samples: u64,
}

impl Peer for Copy {
    fn name(&self) -> String {
        format!("binary COPY, {} rows", self.shape.samples())
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn is_installed(&self) -> bool {
        bin_dir().is_some() || super::is_on_path("initdb")
    }

    fn start(&self, dir: &Path) -> Result<Box<dyn Running>, PeerError> {
        let data = dir.join("data");
        make_dir(&data)?;
        run(as_account(&tool("initdb"))
            .args(["-A", "trust", "-U", ACCOUNT, "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data))?;
        let mut command = as_account(&tool("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&data).current_dir(&data);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let daemon = Daemon::start(command, &dir.join("peer.log"))?;
        let mut postgres = RunningPostgres { daemon, socket_dir: data, shape: self.shape };
        let socket_dir = postgres.socket_dir.clone();
        postgres.daemon.wait_until_ready(READY_WAIT, || connect(&socket_dir).is_ok())?;
        let (runtime, client) = connect(&postgres.socket_dir)?;
        runtime.block_on(client.batch_execute(SCHEMA))?;
        Ok(Box::new(postgres))
    }
}

impl Running for RunningPostgres {
    fn senders(&self, fleet: &Arc<Fleet>, connections: usize) -> Result<Vec<Box<dyn Sender>>, PeerError> {
        let sender = |worker| -> Result<Box<dyn Sender>, PeerError> {
            let (runtime, client) = connect(&self.socket_dir)?;
            let statement = runtime.block_on(client.prepare(COPY))?;
            let body = Body::new(Dialect::Copy, self.shape.rows());
            let stream = Stream::new(fleet, self.shape, worker, connections);
            Ok(Box::new(CopySender { runtime, client, statement, body, stream, samples: self.shape.samples() }))
        };
        (0..connections).map(sender).collect()
    }

    fn stop(mut self: Box<Self>) -> Result<(), PeerError> {
        self.daemon.stop(STOP_BY, STOP_WAIT)?;
        Ok(())
    }
}

impl Sender for CopySender {
    fn prepare(&mut self) -> bool {
        self.stream.fill(&mut self.body).is_some()
    }

    fn send(&mut self) -> Result<u64, SendError> {
        let body = Bytes::copy_from_slice(self.body.bytes());
        let (client, statement) = (&self.client, &self.statement);
        let rows = self.runtime.block_on(async {
            let mut sink = Box::pin(client.copy_in::<_, Bytes>(statement).await?);
            sink.send(body).await?;
            sink.as_mut().finish().await
        })?;
        Ok(rows.min(self.samples))
    }
}

/// A connection with a runtime of its own, which drives it while it is waited for.
fn connect(socket_dir: &Path) -> Result<(Runtime, Client), PeerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| PeerError::Tool { program: "the async runtime".into(), source })?;
    let mut config = Config::new();
    config.host_path(socket_dir).user(ACCOUNT).dbname(ACCOUNT);
    let (client, connection) = runtime.block_on(config.connect(NoTls))?;
    runtime.spawn(connection);
    Ok((runtime, client))
}

/// Where PostgreSQL's programs are: the newest of Debian's versions.
fn bin_dir() -> Option<PathBuf> {
    let entries = std::fs::read_dir(DEBIAN_ROOT).ok()?.flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = entries.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").is_file()).max_by_key(version);
    newest.map(|path| path.join("bin"))
}

/// The full path of a program, or its name for PATH to find.
fn tool(name: &str) -> PathBuf {
    bin_dir().map_or_else(|| PathBuf::from(name), |dir| dir.join(name))
}

fn as_account(program: &Path) -> Command {
    if !process::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={ACCOUNT}"), &format!("--regid={ACCOUNT}"), "--clear-groups"]);
    command.arg(program);
    command
}

fn make_dir(path: &Path) -> Result<(), PeerError> {
    if process::is_root() {
        return run(Command::new("install").args(["-d", "-m", "700", "-o", ACCOUNT]).arg(path));
    }
    std::fs::create_dir_all(path).map_err(|source| PeerError::File { path: path.to_owned(), source })
}

fn run(command: &mut Command) -> Result<(), PeerError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| PeerError::Tool { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(PeerError::ToolFailed { program, text: String::from_utf8_lossy(&output.stderr).chars().take(500).collect() })
}

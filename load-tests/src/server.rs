//! The server under test: started on a free loopback port over a data directory of this run, stopped, killed, restarted.
//!
//! It is a black box: what is known of it is its command line, its HTTP contract and `/proc`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::client::{Client, ClientError};
use crate::data::Fleet;
use crate::directory;
use crate::process::{self, Daemon, ProcessError};

const READY_WAIT: Duration = Duration::from_secs(60);
const STOP_WAIT: Duration = Duration::from_secs(60);
const JOB_WAIT: Duration = Duration::from_secs(600);
/// A part of the journal is emptied when the writers have gone on to the next and other nodes have had their time.
const EMPTY_WAIT: Duration = Duration::from_secs(90);
/// Four tables with their indexes, empty.
const EMPTY_BYTES: f64 = 3e5;
/// The server looks at its tables every five seconds: what it says may be from before.
const NUMBERS_AGE_MAX: Duration = Duration::from_secs(11);
const STOP_BY: &str = "TERM";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error("no free loopback port")]
    Port(#[source] io::Error),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("registering {hostname} was answered {status}: {text}")]
    Register { hostname: String, status: u16, text: String },
    #[error("the server or its PostgreSQL did not end within {} s of being asked to", STOP_WAIT.as_secs())]
    Stuck,
    #[error("job {job} was answered {status}: {text}")]
    Job { job: &'static str, status: u16, text: String },
    #[error("{path} was answered {status}: {text}")]
    Refused { path: String, status: u16, text: String },
    #[error("only {judged} of {rules} rules are judged")]
    NotJudged { rules: usize, judged: f64 },
    #[error("cannot run the store's own check")]
    Verify(#[source] io::Error),
    #[error("no running PostgreSQL was found below {}", .0.display())]
    NoPostmaster(PathBuf),
}

/// What is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// A directory of this run.
    pub(crate) dir: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Server {
    launch: Launch,
    address: SocketAddr,
    daemon: Daemon,
    start_s: f64,
}

impl Server {
    /// Starts the server and returns once it says that it is ready.
    pub(crate) fn start(launch: Launch) -> Result<Self, ServerError> {
        let address = free_address().map_err(ServerError::Port)?;
        let (daemon, start_s) = start_daemon(&launch, address)?;
        Ok(Self { launch, address, daemon, start_s })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Seconds from the start of the program until it was ready.
    pub(crate) fn start_s(&self) -> f64 {
        self.start_s
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        data_dir(&self.launch)
    }

    /// Resident memory of the server, without PostgreSQL.
    pub(crate) fn resident_bytes(&self) -> u64 {
        process::resident_bytes(self.daemon.pid()).unwrap_or(0)
    }

    /// CPU time of the server and its PostgreSQL.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        process::cpu_seconds(self.daemon.pid(), &self.launch.dir)
    }

    pub(crate) fn is_ready(&self) -> bool {
        is_ready(self.address)
    }

    /// Waits until the server is ready again; an end of the program is an error.
    pub(crate) fn wait_until_ready(&mut self, wait: Duration) -> Result<(), ServerError> {
        let address = self.address;
        Ok(self.daemon.wait_until_ready(wait, || is_ready(address))?)
    }

    /// Kills the server alone; its PostgreSQL stays behind, as after a crash.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Kills the PostgreSQL below the data directory.
    pub(crate) fn kill_postmaster(&self) -> Result<(), ServerError> {
        let pid = self.postmaster().ok_or_else(|| ServerError::NoPostmaster(self.data_dir()))?;
        Ok(process::kill_within(pid, &self.launch.dir)?)
    }

    /// Starts the program again over the same data and on the same port.
    pub(crate) fn restart(&mut self) -> Result<(), ServerError> {
        self.daemon.kill();
        (self.daemon, self.start_s) = start_daemon(&self.launch, self.address)?;
        Ok(())
    }

    /// Stops the program in order and starts it over the same data with further arguments.
    pub(crate) fn reopen(&mut self, arguments: &[&str]) -> Result<(), ServerError> {
        if !self.daemon.stop(STOP_BY, STOP_WAIT)? {
            return Err(ServerError::Stuck);
        }
        let mut launch = self.launch.clone();
        launch.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        (self.daemon, self.start_s) = start_daemon(&launch, self.address)?;
        Ok(())
    }

    /// Makes a token with these rights, while everything is open.
    pub(crate) fn make_token(&self, rights: &[&str]) -> Result<String, ServerError> {
        let body = serde_json::json!({ "name": "load test", "rights": rights }).to_string();
        self.made("/api/v1/tokens", &body, "token")
    }

    /// Adds an endpoint for a host and answers its token.
    pub(crate) fn make_endpoint(&self, hostname: &str) -> Result<String, ServerError> {
        let body = serde_json::json!({ "hostname": hostname, "machine_id": hostname }).to_string();
        self.made("/api/v1/endpoints", &body, "token")
    }

    fn made(&self, path: &str, body: &str, field: &str) -> Result<String, ServerError> {
        let mut client = Client::new(self.address)?;
        let answer = client.post(path, "application/json", body.as_bytes())?;
        let made = serde_json::from_slice::<serde_json::Value>(answer.body).ok();
        let made = made.and_then(|made| made[field].as_str().map(str::to_owned));
        made.filter(|_| answer.status == 201).ok_or_else(|| ServerError::Refused {
            path: path.to_owned(),
            status: answer.status,
            text: String::from_utf8_lossy(answer.body).chars().take(300).collect(),
        })
    }

    /// Asks the server to end. It must do so by itself and leave no PostgreSQL behind.
    pub(crate) fn stop(mut self) -> Result<(), ServerError> {
        let ended = self.daemon.stop(STOP_BY, STOP_WAIT)?;
        if ended && self.postmaster().is_none() { Ok(()) } else { Err(ServerError::Stuck) }
    }

    /// Registers every host of the fleet over some connections and takes over the ids the server gives.
    pub(crate) fn register(&self, fleet: &mut Fleet, connections: usize) -> Result<(), ServerError> {
        let (address, hosts) = (self.address, &fleet.hosts);
        let names: Vec<String> = hosts.iter().map(super::data::Host::name_text).collect();
        let share = names.len().div_ceil(connections.max(1)).max(1);
        let ids = std::thread::scope(|scope| {
            let threads: Vec<_> =
                names.chunks(share).map(|names| scope.spawn(move || register_all(address, names))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        ids.into_iter().flatten().enumerate().for_each(|(host, id)| fleet.adopt(host, id));
        Ok(())
    }

    /// Has a job done all it can, open windows included, and waits for it.
    pub(crate) fn run_job(&self, job: &'static str) -> Result<(), ServerError> {
        let mut client = Client::new(self.address)?.waiting(JOB_WAIT);
        let answer = client.post(&format!("/api/v1/jobs/{job}/run?force=true"), "application/json", b"")?;
        if answer.status == 200 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(answer.body).chars().take(300).collect();
        Err(ServerError::Job { job, status: answer.status, text })
    }

    /// Moves everything that is committed to where it stays, and has the journal emptied, which other nodes are given
    /// some time to read.
    pub(crate) fn settle(&self) -> Result<(), ServerError> {
        ["fold", "seal", "day"].into_iter().try_for_each(|job| self.run_job(job))?;
        let begin = Instant::now();
        let is_empty = || {
            let bytes = self.number("millrace_storage_table_bytes{table=\"journal\"}");
            begin.elapsed() > NUMBERS_AGE_MAX && bytes.is_none_or(|bytes| bytes <= EMPTY_BYTES)
        };
        while begin.elapsed() < EMPTY_WAIT && !is_empty() {
            crate::clock::wait_until(Instant::now() + Duration::from_secs(1));
            self.run_job("fold")?;
        }
        Ok(())
    }

    /// Has the store check itself beside the running server. The inner error is what it found.
    pub(crate) fn verify(&self) -> Result<Result<(), String>, ServerError> {
        let mut command = Command::new(&self.launch.binary);
        command.args(["verify", "--dev", "--data-dir"]).arg(self.data_dir());
        let output = command.output().map_err(ServerError::Verify)?;
        let said = || String::from_utf8_lossy(&output.stdout).chars().take(2000).collect();
        Ok(if output.status.success() { Ok(()) } else { Err(said()) })
    }

    /// One of the server's own numbers, by its name with its labels as it is exposed.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let mut client = Client::new(self.address).ok()?;
        let answer = client.get("/-/metrics").ok()?;
        let text = std::str::from_utf8(answer.body).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }

    fn postmaster(&self) -> Option<u32> {
        postmaster(&self.launch.dir)
    }
}

impl Drop for Server {
    /// Kills what a failed run leaves behind; after a stop there is nothing.
    fn drop(&mut self) {
        self.daemon.kill();
        if let Some(pid) = self.postmaster() {
            // It may have ended meanwhile, which is what was wanted.
            drop(process::kill_within(pid, &self.launch.dir));
        }
    }
}

/// A loopback address that nobody listens on right now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn data_dir(launch: &Launch) -> PathBuf {
    launch.dir.join("data")
}

fn start_daemon(launch: &Launch, address: SocketAddr) -> Result<(Daemon, f64), ServerError> {
    let mut command = Command::new(&launch.binary);
    command.args(["serve", "--dev", "--listen", &address.to_string(), "--data-dir"]).arg(data_dir(launch));
    command.args(&launch.arguments);
    let start = Instant::now();
    let mut daemon = Daemon::start(command, &launch.dir.join("server.log"))?;
    daemon.wait_until_ready(READY_WAIT, || is_ready(address))?;
    Ok((daemon, start.elapsed().as_secs_f64()))
}

fn is_ready(address: SocketAddr) -> bool {
    Client::new(address).is_ok_and(|mut client| client.get("/-/ready").is_ok_and(|answer| answer.status == 200))
}

/// The number of the PostgreSQL that runs below `dir`, from the first line of its lock file.
fn postmaster(dir: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(directory::find(dir, "postmaster.pid")?).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    process::works_in(pid, dir).then_some(pid)
}

fn register_all(address: SocketAddr, names: &[String]) -> Result<Vec<Uuid>, ServerError> {
    let mut client = Client::new(address)?;
    names.iter().map(|name| register_one(&mut client, name)).collect()
}

fn register_one(client: &mut Client, hostname: &str) -> Result<Uuid, ServerError> {
    let body = serde_json::json!({
        "hostname": hostname, "ip_address": "127.0.0.1", "os": "load test", "labels": {}, "agent_version": "1.0.0",
    });
    let answer = client.post("/api/v1/servers", "application/json", body.to_string().as_bytes())?;
    let id = serde_json::from_slice::<serde_json::Value>(answer.body).ok();
    let id = id.and_then(|server| server["id"].as_str()?.parse().ok());
    id.filter(|_| (200..300).contains(&answer.status)).ok_or_else(|| ServerError::Register {
        hostname: hostname.to_owned(),
        status: answer.status,
        text: String::from_utf8_lossy(answer.body).chars().take(300).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::WorkDir;

    #[test]
    fn a_missing_binary_is_an_error_that_names_it() {
        let dir = WorkDir::new(None).unwrap();
        let launch =
            Launch { binary: "/nonexistent/millrace".into(), arguments: Vec::new(), dir: dir.path().to_owned() };
        let error = Server::start(launch).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/millrace"), "{error}");
    }

    #[test]
    fn a_lock_file_of_another_cluster_names_no_process_to_kill() {
        let dir = WorkDir::new(None).unwrap();
        std::fs::create_dir(dir.path().join("pg")).unwrap();
        std::fs::write(dir.path().join("pg/postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
        assert_eq!(postmaster(dir.path()), None);
    }
}

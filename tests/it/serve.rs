//! The program itself, as an operator runs it: start, stop, kill, and what stays behind.

mod people; // the first administrator, and what an operator does
mod tls; // certificates, replaced while it runs

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use hyper::{Method, StatusCode};
use millrace::shutdown::Tasks;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::harness::agents::{Samples, metric};
use crate::harness::cluster::fresh_directory;
use crate::harness::server::{Answer, PATIENCE, exchange};
use crate::harness::{Agents, eventually, export};

const TIME_US: i64 = 1_763_632_800_000_000;

/// A data directory, removed at the end of the test.
struct DataDir(PathBuf);

impl DataDir {
    fn new() -> Self {
        Self(fresh_directory())
    }

    /// Everything that runs for this directory: the server, PostgreSQL with its children, the guard.
    fn processes(&self) -> Vec<i32> {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| self.is_for(*pid)).collect()
    }

    fn is_for(&self, pid: i32) -> bool {
        let is_inside = |path: PathBuf| path.starts_with(&self.0);
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(is_inside)
            || String::from_utf8_lossy(&arguments).contains(&*self.0.to_string_lossy())
    }

    async fn until_deserted(&self) {
        eventually("no process is left", async || self.processes().is_empty()).await;
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The program at work.
struct Program {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Program {
    /// Waits until it says where it listens and that it is ready.
    async fn start(data_dir: &Path) -> Self {
        let program = Self::listening(data_dir, &[], "http").await;
        eventually("the program is ready", async || program.get("/-/ready").await.is_ok_and(|it| it.status == 200))
            .await;
        program
    }

    /// Waits until it says where it listens.
    async fn listening(data_dir: &Path, settings: &[String], scheme: &str) -> Self {
        let (process, lines) = launch(data_dir, settings);
        let (mut address, words) = (None, format!("listening on {scheme}://"));
        eventually("the program says where it listens", async || {
            let lines = lines.lock().unwrap();
            let after = lines.iter().find_map(|line| line.split_once(&words));
            address = after.and_then(|(_, rest)| rest.trim().parse().ok());
            address.is_some()
        })
        .await;
        Self { process, lines, address: address.unwrap() }
    }

    async fn until_said(&self, words: &str) {
        let said = async || self.lines.lock().unwrap().iter().any(|line| line.contains(words));
        eventually(words, said).await;
    }

    fn signal(&self, signal: Signal) {
        let pid = self.process.id().and_then(|pid| i32::try_from(pid).ok()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        ended.unwrap_or_else(|_| panic!("still running: {:?}", self.lines.lock().unwrap())).unwrap()
    }

    async fn get(&self, path: &str) -> std::io::Result<Answer> {
        exchange(self.address, Method::GET, path, &[], b"").await
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        let json = [("content-type", "application/json")];
        exchange(self.address, Method::POST, path, &json, body.to_string().as_bytes()).await.unwrap()
    }

    async fn register(&self, hostname: &str) -> String {
        let answer = self.post("/api/v1/servers", &json!({ "hostname": hostname, "ip_address": "10.0.0.1" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn samples(&self) -> Samples {
        export(self.address).await
    }
}

fn launch(data_dir: &Path, settings: &[String]) -> (Child, Arc<Mutex<Vec<String>>>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let (lines, tasks) = (Arc::<Mutex<Vec<String>>>::default(), Tasks::default());
    let (out, err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let (of_out, of_err) = (Arc::clone(&lines), Arc::clone(&lines));
    tasks.spawn("output", async move { collect(BufReader::new(out), &of_out).await });
    tasks.spawn("errors", async move { collect(BufReader::new(err), &of_err).await });
    (process, lines)
}

async fn collect(reader: impl AsyncBufReadExt + Unpin, into: &Mutex<Vec<String>>) {
    let mut lines = reader.lines();
    while let Ok(Some(line)) = lines.next_line().await {
        into.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn data_survives_every_polite_stop_and_no_process_is_left() {
    let data_dir = DataDir::new();
    let mut known = Samples::new();
    for (life, signal) in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGTERM].into_iter().enumerate() {
        let mut program = Program::start(&data_dir.0).await;
        assert_eq!(program.samples().await, known);
        let id = program.register("host").await;
        let body = json!({ "server_id": id, "metrics": [metric("m", TIME_US + life as i64, 0.1 * life as f64)] });
        assert_eq!(program.post("/api/v1/ingest", &body).await.status, StatusCode::OK);
        known = program.samples().await;
        assert_eq!(known.len(), life + 1);
        program.signal(signal);
        let status = program.ended().await;
        assert_eq!(status.code(), Some(0), "{:?}", program.lines.lock().unwrap());
        data_dir.until_deserted().await;
    }
}

#[tokio::test]
async fn a_stop_while_agents_send_ends_well_and_keeps_what_was_acknowledged() {
    let data_dir = DataDir::new();
    let mut program = Program::start(&data_dir.0).await;
    let ids = [program.register("one").await, program.register("two").await];
    let agents = Agents::start(program.address, &ids).await;
    program.signal(Signal::SIGTERM);
    let status = program.ended().await;
    let told = agents.stop().await;
    assert_eq!(status.code(), Some(0), "{:?}", program.lines.lock().unwrap());
    told.check_refusals();
    data_dir.until_deserted().await;
    let mut program = Program::start(&data_dir.0).await;
    told.check(&program.samples().await);
    program.signal(Signal::SIGTERM);
    program.ended().await;
}

#[tokio::test]
async fn a_killed_program_leaves_no_process_and_its_successor_has_all_that_was_acknowledged() {
    let data_dir = DataDir::new();
    let mut program = Program::start(&data_dir.0).await;
    let ids = [program.register("one").await, program.register("two").await];
    let agents = Agents::start(program.address, &ids).await;
    program.signal(Signal::SIGKILL);
    program.ended().await;
    let told = agents.stop().await;
    data_dir.until_deserted().await;
    let mut program = Program::start(&data_dir.0).await;
    told.check(&program.samples().await);
    // At once this time: the successor does not wait for the guard of the one before.
    program.signal(Signal::SIGKILL);
    program.ended().await;
    let mut program = Program::start(&data_dir.0).await;
    told.check(&program.samples().await);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(0));
    data_dir.until_deserted().await;
}

#[tokio::test]
async fn a_killed_postgresql_comes_back_under_a_running_program() {
    let data_dir = DataDir::new();
    let mut program = Program::start(&data_dir.0).await;
    let agents = Agents::start(program.address, &[program.register("one").await]).await;
    let pid_file = std::fs::read_to_string(data_dir.0.join("postgres/postmaster.pid")).unwrap();
    let pid = pid_file.lines().next().unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    eventually("another PostgreSQL runs", async || {
        let text = std::fs::read_to_string(data_dir.0.join("postgres/postmaster.pid")).unwrap_or_default();
        text.contains("ready") && !text.starts_with(&format!("{pid}\n"))
    })
    .await;
    agents.until_acknowledged().await;
    let told = agents.stop().await;
    told.check_refusals();
    told.check(&program.samples().await);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(0), "{:?}", program.lines.lock().unwrap());
    data_dir.until_deserted().await;
}

#[tokio::test]
async fn a_second_program_on_the_same_directory_is_refused_and_told_who_has_it() {
    let data_dir = DataDir::new();
    let mut program = Program::start(&data_dir.0).await;
    let (mut second, lines) = launch(&data_dir.0, &[]);
    let status = tokio::time::timeout(PATIENCE, second.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    let holder = program.process.id().unwrap();
    let reason = format!("is in use by process {holder}");
    let told = async || lines.lock().unwrap().iter().any(|line| line.contains(&reason));
    eventually("the second one says who has the directory", told).await;
    assert_eq!(program.get("/-/ready").await.unwrap().status, StatusCode::OK, "the first one does not mind");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(0));
    data_dir.until_deserted().await;
}

#[tokio::test]
async fn a_stop_during_the_start_leaves_no_process() {
    let data_dir = DataDir::new();
    let (mut process, lines) = launch(&data_dir.0, &[]);
    eventually("PostgreSQL is on its way", async || data_dir.processes().len() > 1).await;
    kill(Pid::from_raw(process.id().unwrap() as i32), Signal::SIGTERM).unwrap();
    let status = tokio::time::timeout(PATIENCE, process.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0), "{:?}", lines.lock().unwrap());
    data_dir.until_deserted().await;
    let mut program = Program::start(&data_dir.0).await;
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(0));
}

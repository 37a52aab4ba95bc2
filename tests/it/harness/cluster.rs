//! Throw-away clusters: one that all tests of the process share, and one's own for tests that kill or restart it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use millrace::embedded::{Cluster, Settings};
use tokio::sync::mpsc;
use tokio_postgres::{Config, NoTls};

/// Databases that wait to be dropped. One that finds no room stays until the cluster goes.
const DROPS_WAITING_MAX: usize = 1024;
/// A memory file system smaller than this is left to others; containers have one of 64 MiB.
const MEMORY_FREE_BYTES_MIN: u64 = 2 << 30;

/// The cluster that all tests of the process share. Fast, because nothing in it survives a crash.
#[derive(Debug)]
pub(crate) struct TestCluster {
    config: Config,
    drops: mpsc::Sender<String>,
}

impl TestCluster {
    /// Started when first asked for, on a thread of its own: the runtimes of tests come and go.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<TestCluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (started, wait) = std::sync::mpsc::sync_channel(1);
            let serve = move || keep_shared_cluster(&started);
            std::thread::Builder::new().name("test cluster".into()).spawn(serve).expect("a thread can be started");
            wait.recv().expect("the shared cluster starts; its thread has printed why it did not")
        })
    }

    /// A cluster of the caller's own. What is committed in it survives the death of the server.
    pub(crate) async fn own() -> Cluster {
        Cluster::start(settings(true)).await.expect("a cluster starts")
    }

    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = self.config.clone();
        config.dbname(database);
        config
    }

    /// Drops `database` some time later, whoever is connected to it.
    pub(crate) fn drop_later(&self, database: String) {
        // Without room or without a cluster there is nothing more to do: the directory is removed in the end.
        drop(self.drops.try_send(database));
    }
}

/// An absolute path that nobody uses yet, in memory where there is room.
pub(crate) fn fresh_directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let memory = Path::new("/dev/shm");
    let base = if free_bytes(memory) > MEMORY_FREE_BYTES_MIN { memory.to_owned() } else { std::env::temp_dir() };
    base.join(format!("millrace-test-{}-{number}", std::process::id()))
}

fn keep_shared_cluster(started: &std::sync::mpsc::SyncSender<TestCluster>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let cluster = Cluster::start(settings(false)).await.expect("the shared cluster starts");
        let (drops, mut waiting) = mpsc::channel(DROPS_WAITING_MAX);
        let config = cluster.config("postgres");
        let (client, connection) = config.connect(NoTls).await.expect("the shared cluster answers");
        started.send(TestCluster { config, drops }).expect("someone waits for the cluster");
        let drop_each = async {
            while let Some(database) = waiting.recv().await {
                let statement = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
                client.batch_execute(&statement).await.expect("a test database can be dropped");
            }
        };
        // Ends with the process: the handles that would end it are static.
        let (_, ended) = tokio::join!(drop_each, connection);
        ended.expect("the shared cluster stays up");
    });
}

fn settings(durable: bool) -> Settings {
    Settings { data_dir: fresh_directory(), durable, binaries: None, throw_away: true }
}

/// The free space of a file system; 0 when there is no such place.
fn free_bytes(path: &Path) -> u64 {
    let Ok(output) = Command::new("df").arg("-Pk").arg(path).output() else { return 0 };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let kibibytes = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

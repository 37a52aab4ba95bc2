//! A relay in front of PostgreSQL that loses a connection at the moment a test chooses: before a commit is sent, or
//! after it was done and before anybody is told.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use millrace::shutdown::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::cluster::fresh_directory;

const READ_BYTES: usize = 64 * 1024;
/// The message that ends the data of a COPY.
const COPY_DONE: &[u8] = &[b'c', 0, 0, 0, 4];
/// The message that ends an answer outside a transaction.
const READY_AND_IDLE: &[u8] = &[b'Z', 0, 0, 0, 5, b'I'];

/// What is to happen to the next COPY. It happens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mishap {
    None,
    /// PostgreSQL never sees the end of the data.
    LoseRequest,
    /// PostgreSQL commits, and its answer is lost.
    LoseAnswer,
}

#[derive(Debug)]
pub(crate) struct ChaosProxy {
    directory: PathBuf,
    next: Arc<AtomicU8>,
    /// Pieces that are still relayed, either way, before connections are cut.
    pieces_left: Arc<AtomicU32>,
    tasks: Tasks,
}

impl ChaosProxy {
    /// Relays to the server that `to` names.
    pub(crate) fn start(to: &Config) -> Self {
        let directory = fresh_directory();
        std::fs::create_dir_all(&directory).unwrap();
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432")).unwrap();
        let Some(Host::Unix(sockets)) = to.get_hosts().first() else { panic!("test clusters listen on unix sockets") };
        let port = to.get_ports().first().copied().unwrap_or(5432);
        let target = sockets.join(format!(".s.PGSQL.{port}"));
        let (next, tasks) = (Arc::new(AtomicU8::new(Mishap::None as u8)), Tasks::default());
        let pieces_left = Arc::new(AtomicU32::new(u32::MAX));
        let (of_accept, plan, left) = (tasks.clone(), Arc::clone(&next), Arc::clone(&pieces_left));
        tasks.spawn("chaos proxy", async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&target).await else { continue };
                relay(client, server, &plan, &left, &of_accept);
            }
        });
        Self { directory, next, pieces_left, tasks }
    }

    /// `direct`, with the way through here.
    pub(crate) fn config(&self, direct: &Config) -> Config {
        let mut config = Config::new();
        config.host_path(&self.directory).port(5432);
        config.user(direct.get_user().unwrap()).dbname(direct.get_dbname().unwrap());
        config
    }

    pub(crate) fn plan(&self, mishap: Mishap) {
        self.next.store(mishap as u8, Ordering::SeqCst);
    }

    /// Has every connection cut once so many more pieces of either side were relayed.
    pub(crate) fn cut_after(&self, pieces: u32) {
        self.pieces_left.store(pieces, Ordering::SeqCst);
    }

    /// Whether what was planned has happened.
    pub(crate) fn has_happened(&self) -> bool {
        self.next.load(Ordering::SeqCst) == Mishap::None as u8
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.tasks.ask_to_stop();
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// Both directions of one connection. Either task ends both, as a cut wire does.
fn relay(client: UnixStream, server: UnixStream, plan: &Arc<AtomicU8>, left: &Arc<AtomicU32>, tasks: &Tasks) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let losing_answer = Arc::new(Mutex::new(false));
    let (mut asks, mut answers) = (
        Direction { from: from_client, to: to_server, tail: Vec::new(), pieces_left: Arc::clone(left) },
        Direction { from: from_server, to: to_client, tail: Vec::new(), pieces_left: Arc::clone(left) },
    );
    let (losing, plan) = (Arc::clone(&losing_answer), Arc::clone(plan));
    let requests = async move {
        while let Some(piece) = asks.read().await? {
            if asks.saw(COPY_DONE, &piece) {
                if take(&plan, Mishap::LoseRequest) {
                    return Ok(());
                }
                *losing.lock().unwrap() = take(&plan, Mishap::LoseAnswer);
            }
            asks.to.write_all(&piece).await?;
        }
        Ok::<(), io::Error>(())
    };
    let replies = async move {
        while let Some(piece) = answers.read().await? {
            if !*losing_answer.lock().unwrap() {
                answers.to.write_all(&piece).await?;
            } else if answers.saw(READY_AND_IDLE, &piece) {
                return Ok(());
            }
        }
        Ok::<(), io::Error>(())
    };
    tasks.spawn("chaos connection", async move {
        tokio::select! {
            ended = requests => drop(ended),
            ended = replies => drop(ended),
        }
    });
}

fn take(plan: &AtomicU8, mishap: Mishap) -> bool {
    plan.compare_exchange(mishap as u8, Mishap::None as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}

struct Direction {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    /// The end of what was read before, because a message may be cut in two.
    tail: Vec<u8>,
    pieces_left: Arc<AtomicU32>,
}

impl Direction {
    /// The next piece; none when there are no more, or no more are relayed.
    async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = vec![0; READ_BYTES];
        let length = self.from.read(&mut piece).await?;
        piece.truncate(length);
        let relayed = |left: u32| left.checked_sub(1);
        if self.pieces_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, relayed).is_err() {
            return Ok(None);
        }
        Ok((length > 0).then_some(piece))
    }

    fn saw(&mut self, message: &[u8], piece: &[u8]) -> bool {
        self.tail.extend_from_slice(piece);
        let seen = self.tail.windows(message.len()).any(|window| window == message);
        let keep_from = self.tail.len().saturating_sub(message.len() - 1);
        self.tail.drain(..keep_from);
        seen
    }
}

//! The data directory: what lies where in it, and the lock that gives it one owner.
//!
//! ```text
//! <data_dir>/millrace.lock   held by the owner, names its process
//! <data_dir>/postgres/       the cluster; exists only when complete
//! <data_dir>/run/            the socket, private; elsewhere when the path is too long for one
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use tokio_postgres::Config;

use super::error::EmbeddedError;
use super::initdb::SUPERUSER;
use super::run_as::RunAs;

/// Only part of the socket's name: no network port is opened.
pub(super) const PORT: u16 = 5432;

/// The shortest limit among the systems we run on; Linux has 107.
const SOCKET_PATH_BYTES_MAX: usize = 103;

#[derive(Debug)]
pub(super) struct Directory {
    /// Absolute.
    pub(super) root: PathBuf,
    pub(super) sockets: PathBuf,
    /// The operating system releases it with the last handle, so also when the owner is killed.
    lock: File,
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Closing would not do at once: a child that another thread has just forked holds a copy until it is `exec`ed.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(path = %self.root.display(), %error, "cannot release the data directory");
        }
    }
}

impl Directory {
    /// Makes the directory if need be and becomes its owner.
    pub(super) fn claim(data_dir: &Path, run_as: &RunAs) -> Result<Self, EmbeddedError> {
        if !data_dir.exists() {
            fs::create_dir_all(data_dir).map_err(EmbeddedError::io("make", data_dir))?;
            // Whatever the umask says, PostgreSQL's user has to pass through; what lies within is private itself.
            let passable = Permissions::from_mode(0o755);
            fs::set_permissions(data_dir, passable).map_err(EmbeddedError::io("open up", data_dir))?;
        }
        let root = fs::canonicalize(data_dir).map_err(EmbeddedError::io("find", data_dir))?;
        check_owner(&root, run_as)?;
        let lock = lock(&root)?;
        run_as.check_reach(&root)?;
        let sockets = socket_directory(&root);
        make_private(&sockets, run_as)?;
        Ok(Self { root, sockets, lock })
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// The version that made the cluster, `None` when there is none yet.
    pub(super) fn version(&self) -> Result<Option<u32>, EmbeddedError> {
        let cluster = self.cluster();
        if !cluster.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(cluster.join("PG_VERSION")).unwrap_or_default();
        let version = text.trim().parse().map_err(|_| EmbeddedError::NotACluster { directory: cluster })?;
        Ok(Some(version))
    }
}

/// Whoever owns the directory can put anything in the place of anything in it, at any time, so only root's and one's own
/// will do.
fn check_owner(root: &Path, run_as: &RunAs) -> Result<(), EmbeddedError> {
    let owner = fs::metadata(root).map_err(EmbeddedError::io("look at", root))?.uid();
    if owner == 0 || run_as.trusts(owner) {
        return Ok(());
    }
    Err(EmbeddedError::Foreign { directory: root.to_owned(), user: run_as.name() })
}

fn lock(root: &Path) -> Result<File, EmbeddedError> {
    let path = root.join("millrace.lock");
    let io = |action| EmbeddedError::io(action, &path);
    let mut options = OpenOptions::new();
    // PostgreSQL's user may be let write here, and must not lead root to a file of its choice.
    options.read(true).write(true).create(true).truncate(false).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let mut file = options.open(&path).map_err(io("open"))?;
    let found = file.metadata().map_err(io("look at"))?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(EmbeddedError::NotALock { path });
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(io("read"))?;
            return Err(EmbeddedError::Held { directory: root.to_owned(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(io("lock")(source)),
    }
    file.set_len(0).map_err(io("write"))?;
    writeln!(file, "{}", std::process::id()).map_err(io("write"))?;
    Ok(file)
}

/// How to connect to the server of a data directory that another process owns.
pub(super) fn reach(root: &Path, database: &str) -> Config {
    let mut config = Config::new();
    config.host_path(socket_directory(root)).port(PORT).user(SUPERUSER).dbname(database);
    config
}

/// The same for the same data directory every time, so that a server found in it can be told to be ours.
fn socket_directory(root: &Path) -> PathBuf {
    let inside = root.join("run");
    let socket = inside.join(format!(".s.PGSQL.{PORT}"));
    if socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return inside;
    }
    PathBuf::from(format!("/tmp/millrace-{:08x}", crc32fast::hash(root.as_os_str().as_bytes())))
}

/// A directory only PostgreSQL's user (and root) can enter: whoever can open the socket is let in.
pub(super) fn make_private(path: &Path, run_as: &RunAs) -> Result<(), EmbeddedError> {
    if let Err(error) = DirBuilder::new().mode(0o700).create(path) {
        // One that is there already may have been put there by someone else, in /tmp at least.
        let there = fs::symlink_metadata(path).map_err(|_| EmbeddedError::io("make", path)(error))?;
        if !there.is_dir() || !run_as.trusts(there.uid()) || there.mode() & 0o077 != 0 {
            return Err(EmbeddedError::NotPrivate { directory: path.to_owned() });
        }
    }
    run_as.give(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_moves_when_its_path_would_be_too_long() {
        let short = socket_directory(Path::new("/srv/millrace"));
        assert_eq!(short, Path::new("/srv/millrace/run"));
        let long = PathBuf::from(format!("/{}", "d".repeat(90)));
        let moved = socket_directory(&long);
        assert!(moved.starts_with("/tmp"), "{}", moved.display());
        assert_eq!(moved, socket_directory(&long), "the same every time");
    }
}

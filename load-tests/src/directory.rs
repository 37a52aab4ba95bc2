//! The directory everything started here writes into, gone when the run is over, and what is in it.

use std::io;
use std::path::{Path, PathBuf};

/// Trees deeper than this are not measured any further.
const DEPTH_MAX: usize = 16;
/// The write-ahead log is as large as its settings make it, not as the data is.
const NOT_DATA: [&str; 1] = ["pg_wal"];

/// A directory of this run alone.
#[derive(Debug)]
pub(crate) struct WorkDir {
    path: PathBuf,
    remove: bool,
}

impl WorkDir {
    /// A new directory below the system's temporary one, removed when dropped; or below the one given, and kept.
    pub(crate) fn new(keep_in: Option<&Path>) -> io::Result<Self> {
        let parent = keep_in.map_or_else(std::env::temp_dir, Path::to_owned);
        if keep_in.is_some() {
            std::fs::create_dir_all(&parent)?;
        }
        let path = parent.join(format!("millrace-load-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path)?;
        Ok(Self { path: path.canonicalize()?, remove: keep_in.is_none() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if self.remove {
            // What cannot be removed is left in the temporary directory, where the system clears up.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Bytes of all files below `path`, without write-ahead logs of PostgreSQL. Files that vanish meanwhile do not count.
pub(crate) fn data_bytes(path: &Path) -> u64 {
    bytes_below(path, DEPTH_MAX)
}

fn bytes_below(path: &Path, depth_left: usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(facts) if facts.is_file() => facts.len(),
        Ok(facts) if facts.is_dir() && depth_left > 0 && NOT_DATA.iter().all(|name| entry.file_name() != *name) => {
            bytes_below(&entry.path(), depth_left - 1)
        }
        _ => 0,
    });
    sizes.sum()
}

/// The first file of that name below `path`.
pub(crate) fn find(path: &Path, name: &str) -> Option<PathBuf> {
    find_below(path, name, DEPTH_MAX)
}

fn find_below(path: &Path, name: &str, depth_left: usize) -> Option<PathBuf> {
    let direct = path.join(name);
    if direct.is_file() {
        return Some(direct);
    }
    let entries = std::fs::read_dir(path).ok()?.flatten();
    let mut dirs = entries.filter(|entry| depth_left > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.find_map(|entry| find_below(&entry.path(), name, depth_left - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_measured_and_found_and_the_directory_goes_with_its_owner() {
        let dir = WorkDir::new(None).unwrap();
        let path = dir.path().to_owned();
        std::fs::create_dir_all(path.join("a/pg_wal")).unwrap();
        std::fs::write(path.join("a/one"), [0; 100]).unwrap();
        std::fs::write(path.join("a/pg_wal/two"), [0; 1000]).unwrap();
        assert_eq!(data_bytes(&path), 100);
        assert_eq!(find(&path, "two"), Some(path.join("a/pg_wal/two")));
        assert_eq!(find(&path, "three"), None);
        drop(dir);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_asked_for_is_kept_and_each_run_has_its_own() {
        let parent = WorkDir::new(None).unwrap();
        let kept = [(); 2].map(|()| WorkDir::new(Some(parent.path())).unwrap().path().to_owned());
        assert_ne!(kept[0], kept[1]);
        assert!(kept.iter().all(|path| path.is_dir() && path.starts_with(parent.path())));
    }
}

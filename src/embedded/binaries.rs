//! Where the machine keeps PostgreSQL. Looks and asks for versions; starts no server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;

pub(super) const VERSION_MIN: u32 = 14;
pub(super) const VERSION_MAX: u32 = 18;

/// Where packages put them; a `*` stands for any one name, mostly the version.
const USUAL_FOLDERS: [&str; 11] = [
    "/usr/lib/postgresql/*/bin",   // Debian, Ubuntu
    "/usr/pgsql-*/bin",            // RHEL, Fedora, from postgresql.org
    "/usr/libexec/postgresql*",    // Alpine
    "/usr/lib/postgresql*/bin",    // SUSE
    "/usr/lib64/postgresql-*/bin", // Gentoo
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin", // Homebrew on Intel
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin", // built from source
    "/usr/local/bin",       // FreeBSD, the official container image
];

/// A folder with `postgres` and `initdb` of one supported version.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    pub(super) version: u32,
}

impl Binaries {
    /// The newest supported version, or exactly `wanted`, which is what an existing cluster needs. Where `explicit`
    /// is given, only there.
    pub(super) fn find(explicit: Option<&Path>, wanted: Option<(u32, &Path)>) -> Result<Self, EmbeddedError> {
        let folders = explicit.map_or_else(folders, |folder| vec![folder.to_owned()]);
        let mut found: Vec<Self> = folders.into_iter().filter_map(Self::in_folder).collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.version));
        let fits = |one: &Self| match wanted {
            Some((version, _)) => one.version == version,
            None => (VERSION_MIN..=VERSION_MAX).contains(&one.version),
        };
        if let Some(binaries) = found.iter().find(|one| fits(one)) {
            return Ok(binaries.clone());
        }
        let rejected = found.iter().map(|one| format!("{} in {}", one.version, one.folder.display())).collect();
        Err(match wanted {
            None => EmbeddedError::NoBinaries { rejected },
            Some((version, directory)) => {
                EmbeddedError::NoBinariesOfVersion { directory: directory.to_owned(), version, rejected }
            }
        })
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let version = major_version(&first_line_of(Command::new(folder.join("postgres")).arg("--version"))?)?;
        Some(Self { folder, version })
    }
}

/// Every folder worth a look, each once: what the caller's PATH leads to comes first, so it wins among equals.
fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    // The shell searches PATH, so that this module need not read the environment.
    let in_path = first_line_of(Command::new("/bin/sh").args(["-c", "command -v postgres"]));
    let in_path = in_path.and_then(|path| fs::canonicalize(path).ok());
    folders.extend(in_path.and_then(|path| path.parent().map(Path::to_owned)));
    folders.extend(first_line_of(Command::new("pg_config").arg("--bindir")).map(PathBuf::from));
    for pattern in USUAL_FOLDERS {
        folders.extend(matching(pattern));
    }
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| fs::canonicalize(folder).is_ok_and(|real| seen.insert(real)));
    folders
}

/// The existing folders that `pattern`, with at most one `*`, stands for.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    names.map(|entry| entry.path().join(after.trim_start_matches('/'))).collect()
}

fn first_line_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` is 15; so are `15beta1` and `15devel`.
fn major_version(line: &str) -> Option<u32> {
    let (_, version) = line.split_once("(PostgreSQL) ")?;
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_prints() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("mysql 8"), None);
        assert_eq!(major_version("postgres (PostgreSQL) devel"), None);
    }

    #[test]
    fn a_pattern_stands_for_the_folders_that_exist() {
        assert_eq!(matching("/no/such/folder-*/bin"), Vec::<PathBuf>::new());
        assert_eq!(matching("/usr/bi*/sub").first(), Some(&PathBuf::from("/usr/bin/sub")));
    }

    #[test]
    fn a_version_that_is_not_there_is_an_error_that_names_it() {
        let error = Binaries::find(None, Some((13, Path::new("/data")))).unwrap_err().to_string();
        assert!(error.starts_with("/data was made by PostgreSQL 13"), "{error}");
    }

    #[test]
    fn an_explicit_folder_without_postgres_is_refused() {
        let error = Binaries::find(Some(Path::new("/no/such/folder")), None).unwrap_err();
        assert!(matches!(error, EmbeddedError::NoBinaries { rejected } if rejected.is_empty()));
    }
}

//! The user PostgreSQL runs as: the owner's own, or an unprivileged one when the owner is root, which PostgreSQL
//! refuses to run as.

use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use super::error::EmbeddedError;

/// Tried in this order: the packages of PostgreSQL make the first, every system has the second.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Where programs are looked for by what we start.
pub(super) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[derive(Clone, Debug)]
pub(super) struct RunAs {
    /// `None`: as the owner.
    user: Option<User>,
}

impl RunAs {
    pub(super) fn detect() -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self { user: None });
        }
        let known = UNPRIVILEGED.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.filter(|user| !user.uid.is_root()).ok_or(EmbeddedError::NoUser)?;
        Ok(Self { user: Some(user) })
    }

    /// A command that runs `program` as this user, in a directory the user can be in, with nothing of the owner's
    /// environment: it may hold secrets. The standard library drops root's supplementary groups with the user.
    pub(super) fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
        command.current_dir(directory).stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Hands `path` to this user; never what a link put in its place leads to.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Some(user) = &self.user else { return Ok(()) };
        lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(EmbeddedError::io("give away", path))
    }

    /// The name of this user, or of the owner when that is the same.
    pub(super) fn name(&self) -> String {
        let owner = || User::from_uid(geteuid()).ok().flatten();
        self.user.clone().or_else(owner).map_or_else(|| geteuid().to_string(), |user| user.name)
    }

    /// Whether files of `uid` are this user's or the owner's.
    pub(super) fn trusts(&self, uid: u32) -> bool {
        uid == geteuid().as_raw() || self.user.as_ref().is_some_and(|user| user.uid.as_raw() == uid)
    }

    /// Checks that this user can enter `directory`, which is absolute, and everything above it.
    pub(super) fn check_reach(&self, directory: &Path) -> Result<(), EmbeddedError> {
        let Some(user) = &self.user else { return Ok(()) };
        let script = r#"for each; do test -x "$each" || { printf %s "$each"; exit 1; }; done"#;
        let mut above: Vec<&Path> = directory.ancestors().collect();
        above.reverse();
        let shell = Path::new("/bin/sh");
        let output = self.command(shell, Path::new("/")).args(["-c", script, "sh"]).args(above).output();
        let output = output.map_err(EmbeddedError::io("run as another user", shell))?;
        if output.status.success() {
            return Ok(());
        }
        let blocked = PathBuf::from(String::from_utf8_lossy(&output.stdout).into_owned());
        Err(EmbeddedError::Unreachable { user: user.name.clone(), directory: blocked })
    }
}

//! The command line: its arguments, and the commands that need no running server. `serve` is for `app`.
//!
//! Exit codes: 0 done, 1 failed, 64 the command line is wrong, 78 the configuration is wrong (both as in `sysexits`),
//! so that a supervisor can tell what a restart cannot mend.

pub mod args;
pub mod healthcheck;

mod tool;

pub use args::{Admin, Cli, Command, Settings, Tool, parse};

pub const EXIT_OK: u8 = 0;
pub const EXIT_FAILED: u8 = 1;
pub const EXIT_USAGE: u8 = 64;
pub const EXIT_CONFIG: u8 = 78;

//! The arguments, as types. What a setting means and whether its value is good is for `config` to say.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{EXIT_OK, EXIT_USAGE};
use crate::config::Flags;

/// A high-throughput time-series ingest engine on plain PostgreSQL.
#[derive(Clone, Debug, Parser, PartialEq)]
#[command(name = "millrace", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Settings),
    /// Read all that is stored and tell everything that is wrong with it; exits with 1 when something is
    Verify(Settings),
    /// Add people and help those who are locked out, beside a running server or without one
    #[command(subcommand)]
    Admin(Admin),
    #[command(flatten)]
    Tool(Tool),
}

/// What an operator does about people who sign in.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Admin {
    /// Add a person; without a password on standard input one is made up and printed, this once
    CreateUser {
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[arg(long, value_name = "NAME")]
        username: Option<String>,
        /// admin, editor or viewer; without it only servers of their own
        #[arg(long)]
        role: Option<String>,
        /// Read the password from standard input, a line
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give a person a new password and sign them out everywhere
    ResetPassword {
        /// User name or e-mail address
        login: String,
        /// Read the password from standard input, a line
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print everybody who can sign in
    ListUsers(Settings),
}

impl Admin {
    pub fn settings(&self) -> &Settings {
        match self {
            Self::CreateUser { settings, .. } | Self::ResetPassword { settings, .. } | Self::ListUsers(settings) => {
                settings
            }
        }
    }

    pub fn reads_password(&self) -> bool {
        match self {
            Self::CreateUser { password_stdin, .. } | Self::ResetPassword { password_stdin, .. } => *password_stdin,
            Self::ListUsers(_) => false,
        }
    }
}

/// What needs no running server.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Tool {
    /// Read all settings and tell everything that is wrong with them
    CheckConfig(Settings),
    /// Print every setting: its names, its default, what it accepts and what it is for
    Config {
        /// As the table of the README
        #[arg(long)]
        markdown: bool,
    },
    /// Ask a server whether it is ready, and exit with 0 if it is
    Healthcheck {
        /// What to ask; plain HTTP. Without it, the first address the settings listen on
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the version
    Version,
}

/// The settings that have a flag of their own, and `--set` for all others.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Development: a PostgreSQL of our own, loopback only, open access
    #[arg(long)]
    pub dev: bool,
    /// An address to listen on; may be given more than once
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Where the PostgreSQL of --dev keeps its data
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// A TOML file of settings
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Any setting by its key, as in `http.body_bytes_max=64MiB`; may be given more than once
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
}

impl Settings {
    pub fn flags(&self) -> Flags {
        let mut settings = self.settings.clone();
        let mut add = |key: &str, value: String| settings.push((key.to_owned(), value));
        if self.dev {
            add("dev", "true".to_owned());
        }
        if !self.listen.is_empty() {
            add("listen", self.listen.join(","));
        }
        if let Some(data_dir) = &self.data_dir {
            add("data_dir", data_dir.clone());
        }
        Flags { file: self.config.clone(), settings }
    }

    /// For commands that let nobody in, and so do not need what that rests on.
    pub fn flags_without_serving(&self) -> Flags {
        let mut flags = self.flags();
        flags.settings.push(("anonymous".to_owned(), "all".to_owned()));
        flags
    }
}

/// Reads the arguments, the name of the program first.
///
/// # Errors
/// Help, version and mistakes: the text to print, with [`exit_code`].
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments)
}

/// The exit code of what [`parse`] answered instead of arguments.
pub fn exit_code(error: &clap::Error) -> u8 {
    if error.use_stderr() { EXIT_USAGE } else { EXIT_OK }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("give KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split_ascii_whitespace().map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_settings_and_stand_above_set() {
        let line = "millrace serve --dev --listen 127.0.0.1:1 --listen [::1]:2 --set listen=0.0.0.0:3 --config m.toml";
        let Command::Serve(settings) = parsed(line).unwrap().command else { panic!("not serve") };
        let flags = settings.flags();
        let pairs: Vec<_> = flags.settings.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(pairs, [("listen", "0.0.0.0:3"), ("dev", "true"), ("listen", "127.0.0.1:1,[::1]:2")]);
        assert_eq!(flags.file, Some("m.toml".into()));
    }

    #[test]
    fn help_and_version_are_answers_and_mistakes_are_not() {
        for (line, code) in [
            ("millrace --help", EXIT_OK),
            ("millrace --version", EXIT_OK),
            ("millrace serve --help", EXIT_OK),
            ("millrace", EXIT_USAGE),
            ("millrace swim", EXIT_USAGE),
            ("millrace admin", EXIT_USAGE),
            ("millrace admin reset-password", EXIT_USAGE),
            ("millrace serve --set lanes", EXIT_USAGE),
        ] {
            assert_eq!(exit_code(&parsed(line).unwrap_err()), code, "{line}");
        }
    }
}

//! What can be wrong with a configuration. Each problem names the key as it was given, the value unless it is secret,
//! and what is accepted.

use std::fmt;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("{origin}: {given} is not accepted; {accepted}")]
    BadValue { origin: String, given: String, accepted: String },
    #[error("{origin}: there is no such setting{}", hint(.did_you_mean.as_deref()))]
    Unknown { origin: String, did_you_mean: Option<String> },
    #[error("{key} is not set; {needed}")]
    Missing { key: &'static str, needed: &'static str },
    #[error("{keys} do not go together; {rule}")]
    Conflict { keys: &'static str, rule: &'static str },
    #[error("the file {} cannot be read", .path.display())]
    FileUnreadable { path: PathBuf, source: std::io::Error },
    #[error("the file {} is larger than {bytes_max} bytes", .path.display())]
    FileTooLarge { path: PathBuf, bytes_max: u64 },
    /// The message of the parser without the line it quotes, which may hold a secret.
    #[error("the file {} is not TOML, line {line_number}: {message}", .path.display())]
    FileSyntax { path: PathBuf, line_number: usize, message: String },
}

/// Everything that is wrong, one problem a line.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let line_break = if place == 0 { "" } else { "\n" };
            write!(formatter, "{line_break}{problem}")?;
            if let Some(source) = std::error::Error::source(problem) {
                write!(formatter, ": {source}")?;
            }
        }
        Ok(())
    }
}

fn hint(did_you_mean: Option<&str>) -> String {
    did_you_mean.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

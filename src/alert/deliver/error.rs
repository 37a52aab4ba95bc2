//! What can go wrong on the way to somebody, in words without secrets, and whether trying again can help.

use std::path::PathBuf;

use super::template::TemplateError;

/// Statuses of the 400s that pass by themselves: too slow, too early, too many.
const PASSING: [u16; 3] = [408, 425, 429];
/// Answers of mail servers about our own signing in: whoever runs this server can put that right.
const SIGNING_IN: [u16; 4] = [530, 534, 535, 538];

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("no mail server is set up (SMTP_HOST)")]
    NoMailServer,
    #[error("no Telegram bot is set up (TELEGRAM_BOT_TOKEN)")]
    NoBot,
    #[error("the recipient is switched off")]
    SwitchedOff,
    #[error("what is stored cannot be read")]
    Unreadable,
    #[error("{0}")]
    BadAddress(&'static str),
    #[error("{host} is at a private address, and alerts.private_targets is not set")]
    PrivateAddress { host: String },
    #[error("{host} was not found")]
    NotFound { host: String },
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: std::io::Error },
    #[error("no secure connection to {host}: {cause}")]
    Tls { host: String, cause: std::io::Error },
    #[error("no answer within 10 s")]
    TimedOut,
    #[error("the answer of {host} is not HTTP")]
    Protocol { host: String, source: hyper::Error },
    #[error("{host} answered {status}, and redirects are not followed")]
    Redirected { host: String, status: u16 },
    #[error("{host} answered {status}{}", said(.reason))]
    Refused { host: String, status: u16, reason: Option<String> },
    #[error("the template: {0}")]
    Template(#[from] TemplateError),
    #[error("the message cannot be written: {0}")]
    Message(String),
    #[error("the mail server: {0}")]
    Mail(lettre::transport::smtp::Error),
    #[error("certificates cannot be read from {path}")]
    Certificates { path: PathBuf },
    #[error("TLS cannot be set up")]
    TlsSetUp(#[source] rustls::Error),
}

impl DeliveryError {
    /// Whether it will be no different next time.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::SwitchedOff
            | Self::Unreadable
            | Self::BadAddress(_)
            | Self::PrivateAddress { .. }
            | Self::Redirected { .. }
            | Self::Template(_)
            | Self::Message(_) => true,
            Self::Refused { status, .. } => (400..500).contains(status) && !PASSING.contains(status),
            Self::Mail(error) => {
                let status = error.status().map(u16::from);
                error.is_permanent() && !status.is_some_and(|status| SIGNING_IN.contains(&status))
            }
            Self::NoMailServer
            | Self::NoBot
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::TimedOut
            | Self::Protocol { .. }
            | Self::Certificates { .. }
            | Self::TlsSetUp(_) => false,
        }
    }
}

fn said(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}

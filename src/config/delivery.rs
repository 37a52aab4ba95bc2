//! The ways to people who are told of alerts: mail server, Telegram bot, and where messages may go; what fits together.

use std::path::PathBuf;

use super::problem::Problem;
use super::secret::Secret;

#[derive(Clone, Debug, Default)]
pub struct Delivery {
    pub smtp: Smtp,
    pub telegram_token: Option<Secret>,
    pub telegram_api: String,
    /// Whether messages go to addresses that are not on the open internet.
    pub private_targets: bool,
    /// Rules are judged by other processes only.
    pub judge_elsewhere: bool,
    /// Certificates to trust beside those of the machine.
    pub ca: Option<PathBuf>,
}

#[derive(Clone, Debug, Default)]
pub struct Smtp {
    /// Empty: there is no mail server.
    pub host: String,
    pub port: usize,
    pub user: String,
    pub password: Option<Secret>,
    pub from: String,
    pub security: SmtpSecurity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS on port 465, nothing to this machine itself, STARTTLS to all others.
    #[default]
    Auto,
    Tls,
    StartTls,
    Plain,
}

impl Delivery {
    pub(super) fn check(&self, problems: &mut Vec<Problem>) {
        let smtp = &self.smtp;
        if smtp.host.is_empty() {
            return;
        }
        if smtp.from.is_empty() {
            problems.push(Problem::Missing { key: "SMTP_FROM", needed: "say whom e-mails are from" });
        }
        if smtp.user.is_empty() != smtp.password.is_none() {
            problems.push(Problem::Conflict { keys: "smtp.user and smtp.password", rule: "give both or neither" });
        }
    }
}

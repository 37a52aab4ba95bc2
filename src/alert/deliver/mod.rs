//! The way to people: one notice, in the form of one channel, handed to whoever takes it from there. Tries once; when to
//! try again is for `outbox` to decide.
//!
//! Invariants:
//! - what a receiver answers, and what goes wrong, is told without the secrets of the channel;
//! - addresses that people chose are looked at after they were resolved, and the connection goes to what was looked at;
//! - nothing follows a redirect, reads more than a bound or waits longer than [`TIME_MAX`].
//!
//! Must not know the store, nor who is told.

mod address; // which addresses anyone may have requests made to
mod discord; // messages for Discord
mod email; // messages for mail servers
mod error; // what can go wrong, and whether it passes
mod ntfy; // messages for ntfy
mod post; // one request over HTTP
mod slack; // messages for Slack
mod telegram; // messages for Telegram
mod template; // webhook bodies in the words of their receiver
mod webhook; // messages for programs
mod wording; // what is told, in words

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use email::{MailConfig, MailSecurity};
pub use error::DeliveryError;
pub use template::TemplateError;

use tokio::sync::Semaphore;

use super::channel::Channel;
use super::notice::Body;
use crate::clock::Clock;
use crate::model::Micros;
use email::Mail;
use post::Web;
use wording::Wording;

/// How long one delivery may take, from looking up the name to the last byte of the answer.
pub const TIME_MAX: Duration = Duration::from_secs(10);

/// Recipients tried out at one time.
const TRIALS_MAX: usize = 8;

/// Where things are sent from and through. Holds secrets.
#[derive(Default)]
pub struct Config {
    /// `None`: no e-mails.
    pub mail: Option<MailConfig>,
    /// The bot for recipients that name none.
    pub telegram_token: Option<String>,
    pub telegram_api: String,
    pub private_targets: bool,
    /// Certificates to trust beside those of the machine.
    pub ca: Option<PathBuf>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Config").field("mail", &self.mail).finish_non_exhaustive()
    }
}

/// Hands notices over.
#[derive(Debug)]
pub struct Deliverer {
    mail: Option<Mail>,
    bot: telegram::Bot,
    web: Web,
    trials: Semaphore,
    clock: Arc<dyn Clock>,
}

/// A notice on its way.
#[derive(Clone, Copy, Debug)]
struct Letter<'a> {
    body: &'a Body,
    /// The same whenever it is tried again, so that who gets it twice can tell.
    id: i64,
    at: Micros,
}

impl Deliverer {
    /// # Errors
    /// When the certificates cannot be read, or an address of the settings is none.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, DeliveryError> {
        let ca = config.ca.map(post::read_certificates).transpose()?.unwrap_or_default();
        let mail = config.mail.map(|mail| Mail::new(mail, &ca)).transpose()?;
        let web = Web::new(&ca, config.private_targets)?;
        let bot = telegram::Bot::new(config.telegram_token, config.telegram_api);
        Ok(Self { mail, bot, web, trials: Semaphore::new(TRIALS_MAX), clock })
    }

    /// Hands `body` over. `id` names it: it is the same whenever it is tried again.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows.
    pub async fn deliver(&self, to: &Channel, body: &Body, id: i64) -> Result<(), DeliveryError> {
        let letter = Letter { body, id, at: self.clock.now() };
        let delivering = Box::pin(self.hand_over(to, letter));
        tokio::time::timeout(TIME_MAX, delivering).await.unwrap_or(Err(DeliveryError::TimedOut))
    }

    /// Sends a test. `None` when as many are on their way as may be.
    pub async fn try_out(&self, to: &Channel) -> Option<Result<(), DeliveryError>> {
        let _turn = self.trials.try_acquire().ok()?;
        Some(self.deliver(to, &Body::Test, 0).await)
    }

    async fn hand_over(&self, to: &Channel, letter: Letter<'_>) -> Result<(), DeliveryError> {
        match to {
            Channel::Email { to } => {
                let mail = self.mail.as_ref().ok_or(DeliveryError::NoMailServer)?;
                mail.send(to, letter).await
            }
            Channel::Webhook { url, secret, template } => {
                let post = webhook::post(url, secret.as_deref(), template.as_deref(), letter)?;
                self.web.send(post).await
            }
            Channel::Discord { webhook_url } => self.web.send(discord::post(webhook_url, letter.body)).await,
            Channel::Slack { webhook_url } => self.web.send(slack::post(webhook_url, letter.body)).await,
            Channel::Telegram { chat_id, bot_token } => {
                self.bot.send(&self.web, chat_id, bot_token.as_deref(), letter.body).await
            }
            Channel::Ntfy { url, token } => self.web.send(ntfy::post(url, token.as_deref(), letter.body)).await,
        }
    }
}

/// Whether something may be posted to this address, as far as it can be said without looking up its host.
///
/// # Errors
/// When it may not.
pub fn check_url(url: &str) -> Result<(), DeliveryError> {
    post::check_url(url)
}

/// Whether it may be the token of a Telegram bot.
pub fn is_bot_token(token: &str) -> bool {
    telegram::is_token(token)
}

/// Whether a template makes JSON of every notice.
///
/// # Errors
/// When it does not.
pub fn check_template(template: &str) -> Result<(), TemplateError> {
    template::check(template)
}

/// Whether an e-mail address is one.
pub fn is_mailbox(address: &str) -> bool {
    email::is_mailbox(address)
}

//! Messages for mail servers: one e-mail to all addresses of a recipient, as text and as HTML.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rustls::pki_types::CertificateDer;

use super::error::DeliveryError;
use super::{Letter, TIME_MAX, Wording};
use crate::alert::notice::Body;

/// How the mail server is reached. Holds a password.
pub struct MailConfig {
    pub host: String,
    pub port: u16,
    /// User and password.
    pub credentials: Option<(String, String)>,
    pub from: String,
    pub security: MailSecurity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said, or nothing is.
    StartTls,
    Plain,
}

pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MailConfig").field("host", &self.host).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Mail([redacted])")
    }
}

impl Mail {
    pub(super) fn new(config: MailConfig, ca: &[CertificateDer<'static>]) -> Result<Self, DeliveryError> {
        let from = config.from.parse().map_err(|_| DeliveryError::BadAddress("smtp.from is no e-mail address"))?;
        let tls = match config.security {
            MailSecurity::Plain => Tls::None,
            MailSecurity::Tls => Tls::Wrapper(tls(&config.host, ca)?),
            MailSecurity::StartTls => Tls::Required(tls(&config.host, ca)?),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port)
            .timeout(Some(TIME_MAX))
            .tls(tls);
        let transport = match config.credentials {
            Some((user, password)) => transport.credentials(Credentials::new(user, password)),
            None => transport,
        };
        Ok(Self { transport: transport.build(), from })
    }

    pub(super) async fn send(&self, to: &[String], letter: Letter<'_>) -> Result<(), DeliveryError> {
        let message = self.message(to, letter)?;
        self.transport.send(message).await.map(drop).map_err(DeliveryError::Mail)
    }

    fn message(&self, to: &[String], letter: Letter<'_>) -> Result<Message, DeliveryError> {
        let Wording { subject, text, .. } = Wording::of(letter.body);
        let since_epoch = Duration::from_micros(u64::try_from(letter.at.0).unwrap_or_default());
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject.as_str())
            .date(SystemTime::UNIX_EPOCH + since_epoch)
            .message_id(Some(message_id(letter, self.from.email.domain())))
            // So that nobody's "out of office" answers.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        for address in to {
            let mailbox = address.parse().map_err(|_| DeliveryError::BadAddress("a recipient is no e-mail address"))?;
            message = message.to(mailbox);
        }
        let built = match letter.body {
            Body::Worded { .. } => message.singlepart(SinglePart::plain(text)),
            _ => message.multipart(MultiPart::alternative_plain_html(text.clone(), html(&subject, &text))),
        };
        built.map_err(|error| DeliveryError::Message(error.to_string()))
    }
}

pub(super) fn is_mailbox(address: &str) -> bool {
    address.parse::<Mailbox>().is_ok()
}

/// The same for each try, so that a mailbox that gets it twice can tell. A test is a new message each time.
fn message_id(letter: Letter<'_>, domain: &str) -> String {
    match letter.body {
        Body::Test => format!("<millrace.test.{}@{domain}>", letter.at.0),
        _ => format!("<millrace.notice.{}@{domain}>", letter.id),
    }
}

fn tls(host: &str, ca: &[CertificateDer<'static>]) -> Result<TlsParameters, DeliveryError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    for certificate in ca {
        let certificate = Certificate::from_der(certificate.to_vec()).map_err(DeliveryError::Mail)?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(DeliveryError::Mail)
}

fn html(subject: &str, text: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let lines = escaped(text).replace('\n', "<br>\n");
    format!("<!doctype html>\n<html><body><h3>{}</h3>\n<p>{lines}</p></body></html>\n", escaped(subject))
}

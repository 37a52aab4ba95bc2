//! The ways to people who are told of alerts.

use super::super::delivery::SmtpSecurity;
use super::super::draft::Draft;
use super::super::key::Key;
use super::super::secret::Secret;

/// Mail servers take no longer address, and a display name before it.
const FROM_BYTES_MAX: usize = 512;

pub(super) const ALERTS: &[Key] = &[
    Key::words("smtp.host", "", "the name of a mail server", |draft, text| {
        let accepted = !text.contains(|character: char| character.is_whitespace() || "/@".contains(character));
        if accepted {
            text.clone_into(&mut draft.delivery.smtp.host);
        }
        accepted
    })
    .also("SMTP_HOST")
    .about("The mail server that alerts are sent through. Without it there are no e-mails.", ""),
    Key::count("smtp.port", "587", 1..=65_535, |draft| &mut draft.delivery.smtp.port)
        .also("SMTP_PORT")
        .about("Its port.", ""),
    Key::words("smtp.user", "", "a user name", |draft, text| {
        text.clone_into(&mut draft.delivery.smtp.user);
        true
    })
    .also("SMTP_USER")
    .about("Who signs in there. Without it nobody does.", ""),
    Key::words("smtp.password", "", "a password", |draft, text| {
        draft.delivery.smtp.password = Some(Secret::new(text));
        true
    })
    .also("SMTP_PASSWORD")
    .secret()
    .about("With which password.", ""),
    Key::words("smtp.from", "", "an e-mail address, with or without a name before it", |draft, text| {
        let accepted = text.len() <= FROM_BYTES_MAX && text.contains('@') && !text.contains(char::is_control);
        if accepted {
            text.clone_into(&mut draft.delivery.smtp.from);
        }
        accepted
    })
    .also("SMTP_FROM")
    .about("Whom e-mails are from, such as `Millrace <alerts@example.org>`.", ""),
    Key::words("smtp.security", "auto", "auto, tls, starttls or plain", set_security).about(
        "How the way to the mail server is kept secret. auto: tls on port 465, plain to this machine itself, starttls \
         otherwise.",
        "plain: passwords and alerts can be read on the way.",
    ),
    Key::words("telegram.bot_token", "", "the token of a bot", |draft, text| {
        let accepted = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-".contains(&byte));
        if accepted {
            draft.delivery.telegram_token = Some(Secret::new(text));
        }
        accepted
    })
    .also("TELEGRAM_BOT_TOKEN")
    .secret()
    .about("The Telegram bot that alerts come from, where a recipient names none.", ""),
    Key::words("telegram.api", "https://api.telegram.org", "an http or https address", |draft, text| {
        let accepted = text.starts_with("https://") || text.starts_with("http://");
        if accepted {
            text.trim_end_matches('/').clone_into(&mut draft.delivery.telegram_api);
        }
        accepted
    })
    .about("Where Telegram's API is reached.", ""),
    Key::flag("alerts.judge_elsewhere", |draft| &mut draft.delivery.judge_elsewhere).about(
        "Rules are judged by other processes on this database, never by this one. Without it they take turns: one judges, \
         and another goes on when it is gone.",
        "Set everywhere: no rule is judged.",
    ),
    Key::flag("alerts.private_targets", |draft| &mut draft.delivery.private_targets).about(
        "Whether alerts may be sent to private addresses, such as those of this machine and its network.",
        "true: whoever may add recipients can have requests made to services that are not theirs.",
    ),
    Key::words("alerts.ca", "", "a file of certificates in PEM form", |draft, text| {
        draft.delivery.ca = Some(text.into());
        true
    })
    .about("Certificates that receivers of alerts are trusted by, beside those of the machine.", ""),
];

fn set_security(draft: &mut Draft, text: &str) -> bool {
    draft.delivery.smtp.security = match text {
        "auto" => SmtpSecurity::Auto,
        "tls" => SmtpSecurity::Tls,
        "starttls" => SmtpSecurity::StartTls,
        "plain" => SmtpSecurity::Plain,
        _ => return false,
    };
    true
}

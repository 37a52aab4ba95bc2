//! Recipients: added, changed, removed. Their secrets go in and never come out.
//!
//! Who is told of the fleet's alerts hears of every server of it, so whoever is restricted to some of them sees and
//! changes no recipients.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ownership::{Owning, may_change, owner_of_new};
use super::{ManageError, check_may_change, finish};
use crate::alert::channel::Channel;
use crate::alert::definition::Fault;
use crate::alert::deliver;
use crate::auth::{Caller, Principal};
use crate::model::{UserId, Whose};
use crate::store::alerts::recipients::{self, RecipientBody, RecipientQuery, RecipientRow, Seen};
use crate::store::alerts::revise;
use crate::store::{Database, GenericClient, StoreError, transactions};

/// Recipients that one owner can have. Further ones are refused.
const RECIPIENTS_MAX: i64 = 1_000;
const NAME_BYTES_MAX: usize = 200;
/// Addresses that one e-mail goes to.
const ADDRESSES_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 2_048;

/// A recipient as it is sent. Unknown members are refused: a misspelt one would silently not count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientForm {
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Where it stands in for one that is there, nothing means that one's.
    pub target: Option<Channel>,
}

fn yes() -> bool {
    true
}

impl std::fmt::Debug for RecipientForm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RecipientForm").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whose recipients and notices somebody sees.
pub fn seen_by(principal: &Principal) -> Seen {
    let is_restricted = principal.reach.servers.is_some() || !principal.reach.labels.is_empty();
    match principal.reach.whose {
        _ if is_restricted => Seen { fleet: false, owner: None, everyones: false },
        Whose::Everyones => Seen { fleet: true, owner: None, everyones: true },
        Whose::Some { fleet, owner } => Seen { fleet, owner, everyones: false },
    }
}

/// Whether they see the whole of where a recipient is reached.
pub fn sees_whole(principal: &Principal, recipient: &RecipientRow) -> bool {
    may_change(principal, recipient.owner)
}

/// # Errors
/// When it is not as it has to be, may not be theirs, is one too many, or PostgreSQL is not available.
pub async fn add(
    database: &Database,
    caller: Caller<'_>,
    owning: Option<Owning>,
    form: RecipientForm,
) -> Result<RecipientRow, ManageError> {
    check_unrestricted(caller)?;
    let owner = owner_of_new(caller.principal, owning)?;
    let body = checked(form, None)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let id = recipients::add(&transaction, owner, &body, caller.at, RECIPIENTS_MAX).await?;
    let id = id.ok_or(ManageError::TooMany { what: "recipients", max: RECIPIENTS_MAX })?;
    let added = get(&transaction, caller, id).await?;
    finish(transaction, &caller.did("alert.recipient.create", subject(id), details(&added))).await?;
    Ok(added)
}

/// # Errors
/// When there is none within reach, or PostgreSQL is not available.
pub async fn get(client: &impl GenericClient, caller: Caller<'_>, id: i64) -> Result<RecipientRow, ManageError> {
    let seen = seen_by(caller.principal);
    let query = RecipientQuery { seen, id: Some(id), after: i64::MIN, recipients_max: 1 };
    let found = recipients::list(client, &query).await?;
    found.into_iter().next().ok_or(ManageError::NotFound("recipient"))
}

/// The same, for those who may change it.
///
/// # Errors
/// When there is none within reach, it may not be changed by them, or PostgreSQL is not available.
pub async fn get_own(client: &impl GenericClient, caller: Caller<'_>, id: i64) -> Result<RecipientRow, ManageError> {
    let found = get(client, caller, id).await?;
    check_may_change(caller, found.owner)?;
    Ok(found)
}

/// # Errors
/// When there is none within reach, it may not be changed by them or would not be as it has to be, or PostgreSQL is not
/// available.
pub async fn change(
    database: &Database,
    caller: Caller<'_>,
    id: i64,
    form: RecipientForm,
) -> Result<RecipientRow, ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let before = get_own(&transaction, caller, id).await?;
    let body = checked(form, Some(before.body.target))?;
    recipients::change(&transaction, id, &body, caller.at).await?;
    let changed = get(&transaction, caller, id).await?;
    finish(transaction, &caller.did("alert.recipient.change", subject(id), details(&changed))).await?;
    Ok(changed)
}

/// # Errors
/// When there is none within reach, it may not be changed by them, or PostgreSQL is not available.
pub async fn delete(database: &Database, caller: Caller<'_>, id: i64) -> Result<(), ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let before = get_own(&transaction, caller, id).await?;
    recipients::delete(&transaction, id).await?;
    finish(transaction, &caller.did("alert.recipient.delete", subject(id), details(&before))).await
}

/// Sets the one Telegram chat of a person.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn put_own_telegram(
    database: &Database,
    caller: Caller<'_>,
    owner: UserId,
    (chat_id, enabled): (String, bool),
) -> Result<RecipientRow, ManageError> {
    let target = written(&Channel::Telegram { chat_id, bot_token: None })?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let put = recipients::put_own_telegram(&transaction, owner, &target, enabled, caller.at).await?;
    finish(transaction, &caller.did("alert.recipient.change", subject(put.id), details(&put))).await?;
    Ok(put)
}

/// How a recipient is reached.
///
/// # Errors
/// When what is stored cannot be read.
pub fn channel(recipient: &RecipientRow) -> Result<Channel, ManageError> {
    let read = serde_json::from_value(recipient.body.target.clone());
    read.map_err(|_| StoreError::Unreadable("the target of a recipient".to_owned()).into())
}

/// What is stored of a form.
fn checked(form: RecipientForm, before: Option<Value>) -> Result<RecipientBody, ManageError> {
    let mut faults = Vec::new();
    let mut note = |field: &str, message: String| faults.push(Fault { field: field.to_owned(), message });
    if form.name.trim().is_empty() || form.name.len() > NAME_BYTES_MAX || form.name.contains(char::is_control) {
        note("name", format!("is a text of 1 to {NAME_BYTES_MAX} bytes"));
    }
    let mut target = None;
    match &form.target {
        Some(channel) => {
            faults.extend(wrong_with(channel));
            target = Some(written(channel)?);
        }
        None if before.is_none() => note("target", "says how somebody is reached".to_owned()),
        None => target = before,
    }
    let Some(target) = target.filter(|_| faults.is_empty()) else {
        return Err(ManageError::Invalid { what: "recipient", faults });
    };
    let kind = target["kind"].as_str().unwrap_or_default().to_owned();
    Ok(RecipientBody { name: form.name, kind, target, enabled: form.enabled })
}

fn wrong_with(channel: &Channel) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut note = |field: &str, message: String| faults.push(Fault { field: format!("target.{field}"), message });
    let mut check = |field: &str, is_right: bool, needed: &str| {
        if !is_right {
            note(field, needed.to_owned());
        }
    };
    let is_text = |text: &str| text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control);
    let is_url = |url: &str| is_text(url) && deliver::check_url(url).is_ok();
    const URL: &str = "is an http or https URL without user and password";
    match channel {
        Channel::Email { to } => {
            let number = (1..=ADDRESSES_MAX).contains(&to.len());
            let addresses = to.iter().all(|address| is_text(address) && deliver::is_mailbox(address));
            check("to", number && addresses, &format!("lists 1 to {ADDRESSES_MAX} e-mail addresses"));
        }
        Channel::Webhook { url, secret, template } => {
            check("url", is_url(url), URL);
            check("secret", secret.as_deref().is_none_or(is_text), "is a text of at most 2048 bytes");
            if let Some(Err(error)) = template.as_deref().map(deliver::check_template) {
                check("template", false, &error.to_string());
            }
        }
        Channel::Discord { webhook_url } | Channel::Slack { webhook_url } => {
            check("webhook_url", is_url(webhook_url), URL);
        }
        Channel::Telegram { chat_id, bot_token } => {
            check("chat_id", is_text(chat_id) && !chat_id.is_empty(), "is the number or the name of a chat");
            let is_token = bot_token.as_deref().is_none_or(deliver::is_bot_token);
            check("bot_token", is_token, "is the token of a bot");
        }
        Channel::Ntfy { url, token } => {
            check("url", is_url(url), URL);
            let is_token = token.as_deref().is_none_or(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
            check("token", is_token, "is an access token");
        }
    }
    faults
}

fn check_unrestricted(caller: Caller<'_>) -> Result<(), ManageError> {
    let Seen { fleet, owner, everyones } = seen_by(caller.principal);
    if fleet || everyones || owner.is_some() { Ok(()) } else { Err(ManageError::Forbidden) }
}

fn written(channel: &Channel) -> Result<Value, ManageError> {
    serde_json::to_value(channel).map_err(|error| StoreError::Unreadable(error.to_string()).into())
}

/// Without the target, which holds secrets.
fn details(recipient: &RecipientRow) -> Value {
    let body = &recipient.body;
    json!({
        "name": body.name, "kind": body.kind, "enabled": body.enabled,
        "owner": recipient.owner.map(|owner| owner.0),
    })
}

fn subject(id: i64) -> String {
    format!("alert recipient {id}")
}

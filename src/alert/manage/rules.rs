//! Rules over samples: added, changed, enabled, removed.

use serde_json::{Map, Value, json};

use super::ownership::{Owning, owned_by, owner_of_new};
use super::{ManageError, check_may_change, finish, holds_nul};
use crate::alert::definition::{Definition, Fault, Head};
use crate::auth::Caller;
use crate::model::alert::RuleId;
use crate::model::{Labels, Reach, UserId};
use crate::store::alerts::revise;
use crate::store::alerts::rules::{self, NewRule, RuleChange, RuleQuery, RuleRow};
use crate::store::{Database, StoreError, Transaction, transactions};

/// Rules one person can have, and the fleet. Further ones are refused.
const PERSON_RULES_MAX: i64 = 1_000;
const FLEET_RULES_MAX: i64 = 20_000;
/// What answers show beside a rule's form; sent back, it is passed over.
const SHOWN: [&str; 9] =
    ["id", "owner", "scope", "version", "created_by", "created_at", "updated_at", "pending", "firing"];
/// Error texts of the JSON reader quote the client, at any length.
const QUOTED_CHARS_MAX: usize = 200;

/// A rule as it is sent: its name, whether it is judged, and its definition, in one object.
#[derive(Clone, Debug)]
pub struct RuleForm {
    pub name: String,
    pub enabled: bool,
    pub definition: Definition,
}

/// How a rule is to be changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is this from now on.
    Replace(Map<String, Value>),
    /// Objects are merged, a null takes a member away, all else is replaced.
    Merge(Map<String, Value>),
    Enable(bool),
}

/// # Errors
/// When it is not as it has to be, may not be theirs, is one too many, or PostgreSQL is not available.
pub async fn add(
    database: &Database,
    caller: Caller<'_>,
    owning: Option<Owning>,
    fields: Map<String, Value>,
) -> Result<RuleRow, ManageError> {
    let form = RuleForm::read(fields)?;
    let owner = owner_of_new(caller.principal, owning)?;
    let scope = &caller.principal.reach;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    form.check(&transaction, owner, &owned_by(owner, scope)).await?;
    revise(&transaction).await?;
    let definition = form.definition()?;
    let created_by = caller.principal.person();
    let (name, enabled, created_at) = (form.name.as_str(), form.enabled, caller.at);
    let new = NewRule { owner, scope, name, definition: &definition, enabled, created_by, created_at };
    let max = if owner.is_some() { PERSON_RULES_MAX } else { FLEET_RULES_MAX };
    let id = rules::add(&transaction, &new, max).await?;
    let id = id.ok_or(ManageError::TooMany { what: "rules", max })?;
    let added = get(&transaction, caller, id).await?;
    let details = json!({ "name": name, "owner": owner.map(|owner| owner.0) });
    finish(transaction, &caller.did("alert.rule.create", subject(id), details)).await?;
    Ok(added)
}

/// # Errors
/// When there is none within reach, or PostgreSQL is not available.
pub async fn get(
    client: &impl crate::store::GenericClient,
    caller: Caller<'_>,
    id: RuleId,
) -> Result<RuleRow, ManageError> {
    let found = rules::list(client, &RuleQuery::one(id, &caller.principal.reach)).await?;
    found.into_iter().next().ok_or(ManageError::NotFound("rule"))
}

/// Changes a rule; with `seen` only if that is its version.
///
/// # Errors
/// When there is none within reach, it may not be changed by them, has another version or would not be as it has to be, or
/// PostgreSQL is not available.
pub async fn change(
    database: &Database,
    caller: Caller<'_>,
    (id, seen): (RuleId, Option<i64>),
    change: Change,
) -> Result<RuleRow, ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    // From here on nobody else changes a rule.
    revise(&transaction).await?;
    let rule = get(&transaction, caller, id).await?;
    check_may_change(caller, rule.owner)?;
    if seen.is_some_and(|seen| seen != rule.version) {
        return Err(ManageError::Changed { version: rule.version });
    }
    let action = match change {
        Change::Enable(true) => "alert.rule.enable",
        Change::Enable(false) => "alert.rule.disable",
        Change::Replace(_) | Change::Merge(_) => "alert.rule.change",
    };
    let form = RuleForm::read(changed(&rule, change))?;
    form.check(&transaction, rule.owner, &owned_by(rule.owner, &scope(&rule)?)).await?;
    let definition = form.definition()?;
    let to = RuleChange { name: &form.name, definition: &definition, enabled: form.enabled, at: caller.at };
    rules::change(&transaction, id, &to).await?;
    let changed = get(&transaction, caller, id).await?;
    finish(transaction, &caller.did(action, subject(id), json!({ "name": form.name }))).await?;
    Ok(changed)
}

/// # Errors
/// When there is none within reach, it may not be changed by them, or PostgreSQL is not available.
pub async fn delete(database: &Database, caller: Caller<'_>, id: RuleId) -> Result<(), ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let rule = get(&transaction, caller, id).await?;
    check_may_change(caller, rule.owner)?;
    rules::delete(&transaction, id).await?;
    finish(transaction, &caller.did("alert.rule.delete", subject(id), json!({ "name": rule.name }))).await
}

/// What restricted the maker of a rule.
///
/// # Errors
/// When what is stored is not what this program writes.
pub fn scope(rule: &RuleRow) -> Result<Reach, StoreError> {
    let mut scope = Reach::everything();
    if let Some(servers) = &rule.servers {
        scope = scope.only(servers.iter().copied().collect());
    }
    let pairs = rule.labels.as_ref().and_then(Value::as_object).into_iter().flatten();
    let texts = pairs.map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())));
    let labels = texts.collect::<Option<Vec<_>>>().and_then(|pairs| Labels::new(pairs).ok());
    let unreadable = || StoreError::Unreadable(format!("the labels of rule {}", rule.id.0));
    Ok(Reach { labels: labels.ok_or_else(unreadable)?, ..scope })
}

impl RuleForm {
    /// # Errors
    /// The first thing that cannot be read.
    pub fn read(mut fields: Map<String, Value>) -> Result<Self, ManageError> {
        SHOWN.iter().for_each(|name| drop(fields.remove(*name)));
        if fields.iter().any(|(name, field)| name.contains('\0') || holds_nul(field)) {
            return Err(invalid("definition", "holds a NUL character"));
        }
        let (name, enabled) = (fields.remove("name"), fields.remove("enabled"));
        let name = match name {
            Some(Value::String(name)) => name,
            None => String::new(),
            Some(_) => return Err(invalid("name", "is a text")),
        };
        let enabled = match enabled {
            Some(Value::Bool(enabled)) => enabled,
            None => true,
            Some(_) => return Err(invalid("enabled", "is true or false")),
        };
        Ok(Self { name, enabled, definition: definition(fields)? })
    }

    async fn check(
        &self,
        transaction: &Transaction<'_>,
        owner: Option<UserId>,
        reach: &Reach,
    ) -> Result<(), ManageError> {
        let head = Head { id: RuleId(0), version: 0, name: self.name.clone(), reach: reach.clone() };
        let mut faults = self.definition.rule(head).err().unwrap_or_default();
        let mut recipients = self.definition.recipients.clone();
        recipients.sort_unstable();
        recipients.dedup();
        if faults.is_empty()
            && !recipients.is_empty()
            && rules::recipients_of(transaction, owner, &recipients).await? != recipients.len() as i64
        {
            faults.push(fault("recipients", "lists one that its owner does not have"));
        }
        if faults.is_empty() { Ok(()) } else { Err(ManageError::Invalid { what: "rule", faults }) }
    }

    fn definition(&self) -> Result<Value, ManageError> {
        let written = serde_json::to_value(&self.definition);
        written.map_err(|error| StoreError::Unreadable(error.to_string()).into())
    }
}

/// # Errors
/// What cannot be read of it.
pub fn definition(fields: Map<String, Value>) -> Result<Definition, ManageError> {
    let shortened = |error: serde_json::Error| error.to_string().chars().take(QUOTED_CHARS_MAX).collect::<String>();
    serde_json::from_value(Value::Object(fields)).map_err(|error| invalid("definition", shortened(error)))
}

fn changed(rule: &RuleRow, change: Change) -> Map<String, Value> {
    let mut fields = rule.definition.as_object().cloned().unwrap_or_default();
    fields.insert("name".to_owned(), rule.name.clone().into());
    fields.insert("enabled".to_owned(), rule.enabled.into());
    match change {
        Change::Replace(fields) => return fields,
        Change::Merge(given) => merge(&mut fields, given),
        Change::Enable(enabled) => drop(fields.insert("enabled".to_owned(), enabled.into())),
    }
    fields
}

fn merge(fields: &mut Map<String, Value>, given: Map<String, Value>) {
    for (name, value) in given {
        match (fields.get_mut(&name), value) {
            (_, Value::Null) => drop(fields.remove(&name)),
            (Some(Value::Object(below)), Value::Object(given)) => merge(below, given),
            (_, value) => drop(fields.insert(name, value)),
        }
    }
}

fn fault(field: &str, message: impl Into<String>) -> Fault {
    Fault { field: field.to_owned(), message: message.into() }
}

fn invalid(field: &str, message: impl Into<String>) -> ManageError {
    ManageError::Invalid { what: "rule", faults: vec![fault(field, message)] }
}

fn subject(id: RuleId) -> String {
    format!("alert rule {}", id.0)
}

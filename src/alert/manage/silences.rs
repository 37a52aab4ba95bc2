//! Silences: added, changed, ended, removed.

use serde_json::{Value, json};

use super::ownership::{Owning, owner_of_new};
use super::{ManageError, check_may_change, finish, holds_nul};
use crate::alert::definition::Fault;
use crate::alert::silence::{MatcherForm, SilenceForm};
use crate::auth::Caller;
use crate::model::{Micros, Reach};
use crate::store::alerts::revise;
use crate::store::alerts::silences::{self, SilenceBody, SilenceQuery, SilenceRow};
use crate::store::{Database, GenericClient, StoreError, transactions};

/// Silences that have not ended that one owner can have. Further ones are refused.
const SILENCES_MAX: i64 = 1_000;

/// # Errors
/// When it is not as it has to be, may not be theirs, is one too many, or PostgreSQL is not available.
pub async fn add(
    database: &Database,
    caller: Caller<'_>,
    owning: Option<Owning>,
    form: SilenceForm,
) -> Result<SilenceRow, ManageError> {
    let owner = owner_of_new(caller.principal, owning)?;
    let body = checked(form, &caller.principal.reach, caller.at)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let id = silences::add(&transaction, (owner, caller.principal.person()), &body, caller.at, SILENCES_MAX).await?;
    let id = id.ok_or(ManageError::TooMany { what: "silences that have not ended", max: SILENCES_MAX })?;
    let added = get(&transaction, caller, id).await?;
    let details = json!({ "comment": body.comment, "owner": owner.map(|owner| owner.0) });
    finish(transaction, &caller.did("alert.silence.create", subject(id), details)).await?;
    Ok(added)
}

/// # Errors
/// When there is none within reach, or PostgreSQL is not available.
pub async fn get(client: &impl GenericClient, caller: Caller<'_>, id: i64) -> Result<SilenceRow, ManageError> {
    let reach = caller.principal.reach.clone();
    let query = SilenceQuery { reach, id: Some(id), open_at: None, after: i64::MIN, silences_max: 1 };
    let found = silences::list(client, &query).await?;
    found.into_iter().next().ok_or(ManageError::NotFound("silence"))
}

/// # Errors
/// When there is none within reach, it may not be changed by them or would not be as it has to be, or PostgreSQL is not
/// available.
pub async fn change(
    database: &Database,
    caller: Caller<'_>,
    id: i64,
    form: SilenceForm,
) -> Result<SilenceRow, ManageError> {
    let reach = caller.principal.reach.clone();
    let edit = |before: &SilenceRow| checked(form, &reach, before.body.starts_at);
    rewrite(database, caller, (id, "alert.silence.change"), edit).await
}

/// Has a silence end now. One that has ended already stays as it is.
///
/// # Errors
/// When there is none within reach, it may not be changed by them, or PostgreSQL is not available.
pub async fn end(database: &Database, caller: Caller<'_>, id: i64) -> Result<SilenceRow, ManageError> {
    let now = caller.at;
    let edit = |before: &SilenceRow| {
        let ends_at = before.body.ends_at.map_or(now, |end| end.min(now));
        let starts_at = before.body.starts_at.min(ends_at);
        Ok(SilenceBody { starts_at, ends_at: Some(ends_at), ..before.body.clone() })
    };
    rewrite(database, caller, (id, "alert.silence.end"), edit).await
}

/// # Errors
/// When there is none within reach, it may not be changed by them, or PostgreSQL is not available.
pub async fn delete(database: &Database, caller: Caller<'_>, id: i64) -> Result<(), ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let before = get(&transaction, caller, id).await?;
    check_may_change(caller, before.owner)?;
    silences::delete(&transaction, id).await?;
    let details = json!({ "comment": before.body.comment });
    finish(transaction, &caller.did("alert.silence.delete", subject(id), details)).await
}

async fn rewrite(
    database: &Database,
    caller: Caller<'_>,
    (id, action): (i64, &str),
    edit: impl FnOnce(&SilenceRow) -> Result<SilenceBody, ManageError>,
) -> Result<SilenceRow, ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let before = get(&transaction, caller, id).await?;
    check_may_change(caller, before.owner)?;
    let body = edit(&before)?;
    silences::change(&transaction, id, &body).await?;
    let changed = get(&transaction, caller, id).await?;
    finish(transaction, &caller.did(action, subject(id), json!({ "comment": body.comment }))).await?;
    Ok(changed)
}

/// What is stored of a form, restricted as its maker is. Without a start it begins at `start`.
fn checked(mut form: SilenceForm, scope: &Reach, start: Micros) -> Result<SilenceBody, ManageError> {
    restrict(&mut form.matcher, scope)?;
    let read = form.silence(Reach::everything(), start).map_err(invalid)?;
    let matcher = written(&form.matcher)?;
    if holds_nul(&matcher) {
        let message = "holds a NUL character".to_owned();
        return Err(invalid(vec![Fault { field: "matcher".to_owned(), message }]));
    }
    Ok(SilenceBody {
        comment: form.comment,
        matcher,
        starts_at: read.starts_at,
        ends_at: read.ends_at,
        weekly: form.weekly.as_ref().map(written).transpose()?,
    })
}

fn restrict(matcher: &mut MatcherForm, scope: &Reach) -> Result<(), ManageError> {
    let beyond = |field: &str| {
        let message = "names what is beyond the reach of your token".to_owned();
        invalid(vec![Fault { field: field.to_owned(), message }])
    };
    if let Some(reached) = &scope.servers {
        if reached.is_empty() {
            return Err(ManageError::Forbidden);
        }
        if matcher.servers.is_empty() {
            matcher.servers = reached.iter().copied().collect();
        } else if !matcher.servers.iter().all(|server| reached.contains(server)) {
            return Err(beyond("matcher.servers"));
        }
    }
    for (name, value) in scope.labels.iter() {
        let label = matcher.server_labels.entry(name).or_insert_with(|| value.into());
        if label.as_str() != Some(value) {
            return Err(beyond("matcher.server_labels"));
        }
    }
    Ok(())
}

fn written(form: &impl serde::Serialize) -> Result<Value, ManageError> {
    serde_json::to_value(form).map_err(|error| StoreError::Unreadable(error.to_string()).into())
}

fn invalid(faults: Vec<Fault>) -> ManageError {
    ManageError::Invalid { what: "silence", faults }
}

fn subject(id: i64) -> String {
    format!("alert silence {id}")
}

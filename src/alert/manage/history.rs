//! History that is thrown away before its time.

use serde_json::json;

use super::{ManageError, finish};
use crate::auth::{Caller, Right, Who};
use crate::model::{Micros, Whose};
use crate::store::alerts::events;
use crate::store::{Database, transactions};

/// Entries removed by one statement, and by one request. Beyond it there is more to remove, which the answer says.
const STATEMENT_EVENTS_MAX: i64 = 10_000;
const REQUEST_EVENTS_MAX: u64 = 1_000_000;

/// What was removed, and whether that is all.
#[derive(Clone, Copy, Debug)]
pub struct Erased {
    pub events: u64,
    pub is_all: bool,
}

/// Removes what happened before a time, as far as the caller may change what it happened to.
///
/// # Errors
/// When their token is restricted to some servers, they may change nothing, or PostgreSQL is not available.
pub async fn erase(database: &Database, caller: Caller<'_>, before: Micros) -> Result<Erased, ManageError> {
    let whose = whose(caller).ok_or(ManageError::Forbidden)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let mut erased = Erased { events: 0, is_all: false };
    while !erased.is_all && erased.events < REQUEST_EVENTS_MAX {
        let events = events::erase(&transaction, whose, before, STATEMENT_EVENTS_MAX).await?;
        erased = Erased { events: erased.events + events, is_all: (events as i64) < STATEMENT_EVENTS_MAX };
    }
    let details = json!({ "before": before.to_string(), "events": erased.events });
    finish(transaction, &caller.did("alert.history.erase", "alert history".to_owned(), details)).await?;
    Ok(erased)
}

/// Whose history they may change; `None`: nobody's.
fn whose(caller: Caller<'_>) -> Option<Whose> {
    let principal = caller.principal;
    let is_whole = principal.reach.servers.is_none() && principal.reach.labels.is_empty();
    let may = principal.rights.contain(Right::Change);
    match principal.reach.whose {
        _ if !is_whole => None,
        whose if may => Some(whose),
        // Without the right a person may change their own, whatever their role.
        _ if matches!(principal.who, Who::User { .. }) => Some(Whose::Some { fleet: false, owner: principal.person() }),
        _ => None,
    }
}

//! What people change of alerting: rules, silences, alerts they know of, and history. Each change is one transaction with
//! its line in the audit; whoever judges learns of it by the revision in that same transaction.
//!
//! What belongs to the fleet is changed by those who may change the fleet; a person's own by that person, whatever their
//! role. Who cannot see something is told that it is not there. What a scoped token makes is restricted as it is itself.

mod ownership; // whose something is, and who may change it
pub mod rules; // added, changed, removed
pub mod silences; // added, changed, ended, removed
pub mod states; // acknowledged
pub mod recipients; // added, changed, removed
pub mod history; // thrown away

use serde_json::Value;

use super::definition::Fault;
use crate::auth::Caller;
use crate::model::UserId;
use crate::store::audit::{self, Entry};
use crate::store::{StoreError, Transaction, transactions};

pub use ownership::{Owning, owned_by};

#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("what belongs to the fleet is changed by those who may change it")]
    Forbidden,
    #[error("the {what} is not as it has to be; details say what is wrong")]
    Invalid { what: &'static str, faults: Vec<Fault> },
    #[error("it was changed meanwhile, to version {version}")]
    Changed { version: i64 },
    #[error("there are {max} {what} already; remove some first")]
    TooMany { what: &'static str, max: i64 },
    #[error("it does not fire, so there is nothing to acknowledge")]
    NotFiring,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the audit and commits.
async fn finish(transaction: Transaction<'_>, entry: &Entry) -> Result<(), ManageError> {
    audit::add(&transaction, entry).await?;
    Ok(transactions::commit(transaction).await?)
}

/// # Errors
/// When it belongs to the fleet, and they may not change that.
fn check_may_change(caller: Caller<'_>, owner: Option<UserId>) -> Result<(), ManageError> {
    if ownership::may_change(caller.principal, owner) { Ok(()) } else { Err(ManageError::Forbidden) }
}

/// PostgreSQL knows no NUL in any text.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, field)| name.contains('\0') || holds_nul(field)),
        _ => false,
    }
}

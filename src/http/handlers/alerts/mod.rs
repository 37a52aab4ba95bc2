//! `/api/v1/alerts`: what is watched, how it stands, what happened, when nobody is told, and what a rule would have done.

pub(super) mod rules; // what is watched
pub(super) mod states; // how it stands
pub(super) mod history; // what happened
pub(super) mod silences; // when nobody is told
pub(super) mod preview; // what a rule would have done
pub(super) mod recipients; // who is told
pub(super) mod notices; // what they were told
mod asked; // what the parameters of these have in common

use serde_json::Value;

use crate::alert::definition::Fault;
use crate::alert::manage::{ManageError, Owning};
use crate::http::ApiError;

impl From<ManageError> for ApiError {
    fn from(error: ManageError) -> Self {
        let message = error.to_string();
        match error {
            ManageError::NotFound(_) => Self::not_found(message),
            ManageError::Forbidden => Self::forbidden(message),
            ManageError::Invalid { what, faults } => {
                let code = match what {
                    "rule" => "invalid_rule",
                    "recipient" => "invalid_recipient",
                    _ => "invalid_silence",
                };
                Self::bad_request(code, message).with_details(details(&faults))
            }
            ManageError::Changed { version } => {
                Self::conflict("version_changed", message).with_details(vec![serde_json::json!({ "version": version })])
            }
            ManageError::TooMany { .. } => Self::conflict("too_many", message),
            ManageError::NotFiring => Self::conflict("not_firing", message),
            ManageError::Store(error) => error.into(),
        }
    }
}

fn details(faults: &[Fault]) -> Vec<Value> {
    faults.iter().map(|fault| serde_json::json!({ "field": fault.field, "message": fault.message })).collect()
}

/// `"owner": "fleet"` or `"me"` of something new.
fn owning(owner: Option<Value>) -> Result<Option<Owning>, ApiError> {
    let Some(owner) = owner.filter(|owner| !owner.is_null()) else { return Ok(None) };
    let owning = owner.as_str().and_then(Owning::parse);
    owning.map(Some).ok_or_else(|| ApiError::bad_request("invalid_owner", "owner is fleet or me"))
}

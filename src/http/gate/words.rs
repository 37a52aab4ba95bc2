//! Refusals in the words that the clients of a route know.

use super::Rule;
use crate::auth::{Access, Refusal};
use crate::http::error::{ApiError, ErrorShape};

const CHALLENGE: &str = "Bearer";

pub(super) fn worded(refusal: Refusal, rule: Rule) -> ApiError {
    match (refusal, rule.shape, rule.access) {
        (Refusal::Store(error), ..) => error.into(),
        (Refusal::Missing, ErrorShape::Detail, _) => ApiError::unauthorized("Not authenticated", CHALLENGE),
        // Pages of the system with session cookies, to whom one that is over is none.
        (Refusal::Invalid, ErrorShape::Detail, Access::ADMINISTER) => {
            ApiError::unauthorized("Not authenticated", CHALLENGE)
        }
        (Refusal::Invalid, ErrorShape::Detail, _) => {
            ApiError::unauthorized("Could not validate credentials", CHALLENGE)
        }
        (Refusal::Forbidden { .. }, ErrorShape::Detail, Access::ADMINISTER) => ApiError::forbidden("Admin required"),
        (refusal @ (Refusal::Missing | Refusal::Invalid), ..) => ApiError::unauthorized(refusal.to_string(), CHALLENGE),
        (refusal @ Refusal::Forbidden { .. }, ..) => ApiError::forbidden(refusal.to_string()),
    }
}

//! What the answers of the small endpoints share.

use hyper::StatusCode;
use serde_json::{Number, Value};
use uuid::Uuid;

use crate::http::{ApiError, Response, response};

/// A number that prints without a fraction when it has none, as agents of the source system sent it.
pub(super) fn number(value: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() <= EXACT_MAX && !is_negative_zero {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// A list, which the source system answers as `null` when it is empty.
pub(super) fn list_or_null(items: Vec<Value>) -> Result<Response, ApiError> {
    let list = if items.is_empty() { Value::Null } else { Value::Array(items) };
    response::json(StatusCode::OK, &list)
}

pub(super) fn not_registered(server_id: Uuid) -> ApiError {
    ApiError::not_found(format!("server {server_id} is not registered"))
}

/// One statement adds or does not; which of the two reasons it had is not worth a second one.
pub(super) fn no_room(server_id: Uuid, what: &str, items_max: i64) -> ApiError {
    ApiError::not_found(format!("server {server_id} is not registered, or has {items_max} {what}, as many as it may"))
}

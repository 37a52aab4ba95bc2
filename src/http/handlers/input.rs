//! JSON bodies of the small endpoints, and the checks they share.

use serde::de::{Deserialize, DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Services, admission};
use crate::http::{ApiError, Request};
use crate::model::{Labels, Micros};

/// Longest text a field of these endpoints may have.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest host name; DNS allows no more.
const HOSTNAME_BYTES_MAX: usize = 255;
/// Longest body of these endpoints. What is made of one can be several times as large.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Error texts of the JSON reader quote the client, at any length.
const QUOTED_CHARS_MAX: usize = 200;

/// Reads a JSON body.
pub(super) async fn json<T: DeserializeOwned>(services: &Services, request: &mut Request) -> Result<T, ApiError> {
    let (body, _held) = admission::small(services, request, BODY_BYTES_MAX).await?;
    parse(&body)
}

/// Refuses an empty body in the words of the source system.
pub(super) fn not_empty(body: &[u8]) -> Result<(), ApiError> {
    let is_empty = body.iter().all(u8::is_ascii_whitespace);
    if is_empty { Err(ApiError::bad_request("empty_body", "EOF")) } else { Ok(()) }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    not_empty(body)?;
    let shortened = |error: serde_json::Error| error.to_string().chars().take(QUOTED_CHARS_MAX).collect::<String>();
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request("bad_body", shortened(error)))
}

/// A required text, in the words the source system refuses its absence with.
pub(super) fn required(field: &str, text: Option<String>) -> Result<String, ApiError> {
    let missing = || {
        let message = format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag");
        ApiError::bad_request("missing_field", message)
    };
    checked(field, text.filter(|text| !text.is_empty()).ok_or_else(missing)?)
}

pub(super) fn hostname(text: Option<String>) -> Result<String, ApiError> {
    let hostname = required("Hostname", text)?;
    if hostname.len() > HOSTNAME_BYTES_MAX {
        let message = format!("hostname is {} bytes long, at most {HOSTNAME_BYTES_MAX} are allowed", hostname.len());
        return Err(ApiError::bad_request("invalid_text", message));
    }
    Ok(hostname)
}

pub(super) fn optional(field: &str, text: Option<String>) -> Result<String, ApiError> {
    checked(field, text.unwrap_or_default())
}

/// PostgreSQL cannot store a NUL in a text, and nothing here needs one.
pub(super) fn checked(field: &str, text: String) -> Result<String, ApiError> {
    if text.contains('\0') {
        return Err(ApiError::bad_request("invalid_text", format!("{field} holds a NUL character")));
    }
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("{field} is {} bytes long, at most {TEXT_BYTES_MAX} are allowed", text.len());
        return Err(ApiError::bad_request("invalid_text", message));
    }
    Ok(text)
}

/// A required UUID.
pub(super) fn id(field: &str, text: Option<String>) -> Result<Uuid, ApiError> {
    let text = required(field, text)?;
    Uuid::try_parse(&text).map_err(|_| ApiError::bad_request("invalid_id", format!("{field} is not a UUID")))
}

/// A UUID that the query must name.
pub(super) fn queried_id(request: &Request, name: &'static str) -> Result<Uuid, ApiError> {
    let query = request.query()?;
    let text = query.get(name).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| ApiError::bad_request("missing_parameter", format!("{name} is required")))?;
    Uuid::try_parse(text).map_err(|_| ApiError::bad_request("invalid_id", format!("{name} is not a UUID")))
}

/// A number that names something.
pub(super) fn number(field: &str, text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("invalid_id", format!("{field} is not a number")))
}

/// The number in the path.
pub(super) fn path_number(request: &Request, name: &'static str) -> Result<i64, ApiError> {
    number(name, request.param(name).unwrap_or_default())
}

/// The number after which a page begins.
pub(super) fn after(request: &Request) -> Result<i64, ApiError> {
    request.query()?.get("after").map_or(Ok(0), |text| number("after", text))
}

/// A time, or now when there is none.
pub(super) fn time(field: &str, text: Option<&str>, now: Micros) -> Result<Micros, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(now) };
    let invalid = || ApiError::bad_request("invalid_timestamp", format!("{field} is not an RFC 3339 time"));
    Micros::parse_rfc3339(text.as_bytes()).ok_or_else(invalid)
}

/// Labels as they are stored: an object of strings within the limits of series labels, or none. A null is an empty text,
/// as it is in the labels of a series.
pub(super) fn labels(labels: Option<Map<String, Value>>) -> Result<Option<Value>, ApiError> {
    let Some(labels) = labels else { return Ok(None) };
    let mut pairs = Vec::with_capacity(labels.len());
    for (name, value) in labels {
        let value = match value {
            Value::String(value) => value,
            Value::Null => String::new(),
            _ => {
                let name: String = name.chars().take(QUOTED_CHARS_MAX).collect();
                return Err(ApiError::bad_request("invalid_labels", format!("label \"{name}\" is not a string")));
            }
        };
        pairs.push((name.into_boxed_str(), value.into_boxed_str()));
    }
    let labels = Labels::new(pairs).map_err(|error| ApiError::bad_request("invalid_labels", error.to_string()))?;
    Ok(Some(labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()))
}

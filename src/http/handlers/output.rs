//! What the answers of the small endpoints share.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use serde_json::{Number, Value, json};
use uuid::Uuid;

use crate::http::{ApiError, Response, response};
use crate::model::{Micros, UserId};
use crate::store::invites::Invite;
use crate::store::sessions::Session;
use crate::store::users::User;

/// A number that prints without a fraction when it has none, as agents of the source system sent it.
pub(super) fn number(value: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() <= EXACT_MAX && !is_negative_zero {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// As Python writes a time: with an offset, and six digits of a second or none.
pub(super) fn iso(time: Micros) -> String {
    let text = time.to_string();
    let text = text.trim_end_matches('Z');
    match text.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}+00:00"),
        None => format!("{text}+00:00"),
    }
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

/// On to another page of ours.
pub(super) fn redirect(place: &'static str) -> Response {
    let mut answer = response::empty(StatusCode::FOUND);
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static(place));
    answer
}

/// A page with one sentence on it.
pub(super) fn page(status: StatusCode, title: &str, sentence: &str) -> Response {
    let (title, sentence) = (escaped(title), escaped(sentence));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><p>{sentence}</p></body></html>\n"
    );
    response::bytes(status, "text/html; charset=utf-8", page.into())
}

/// For answers with secrets in them: no cache on the way keeps them.
pub(super) fn not_kept(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A person, without anything secret.
pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id.0, "username": user.username, "email": user.email, "role": user.role,
        "is_active": user.is_active, "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(), "last_login": user.last_login.map(|time| time.to_string()),
    })
}

/// A session, and whether it is the one with that hash.
pub(super) fn session(session: &Session, current: Option<&[u8]>) -> Value {
    json!({
        "id": session.id, "created_at": session.created_at.to_string(), "expires_at": session.expires_at.to_string(),
        "last_used": session.last_used.to_string(), "address": session.address.to_string(),
        "user_agent": session.user_agent, "is_current": current == Some(session.hash.as_slice()),
    })
}

pub(super) fn invite(invite: &Invite) -> Value {
    let id = |user: Option<UserId>| user.map(|user| user.0);
    json!({
        "id": invite.id, "role": invite.role, "created_by": id(invite.created_by),
        "created_at": invite.created_at.to_string(), "expires_at": invite.expires_at.to_string(),
        "used_by": id(invite.used_by), "used_at": invite.used_at.map(|time| time.to_string()),
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_python_does() {
        assert_eq!(iso(Micros(0)), "1970-01-01T00:00:00+00:00");
        assert_eq!(iso(Micros(1_500_000)), "1970-01-01T00:00:01.500000+00:00");
    }
}

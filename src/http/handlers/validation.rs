//! What is missing or of the wrong kind in a request, as clients of the systems with `{"detail":[…]}` are told. What was
//! sent is not repeated to them: it may be a password.

use hyper::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::{Services, admission, multipart};
use crate::http::query::Query;
use crate::http::{ApiError, Request};
use crate::wire::systems::validation::{MISSING, NO_JSON, NO_OBJECT, NO_TEXT};

/// Longest body of a form or of somebody who registers.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The fields of a form.
pub(super) async fn form(services: &Services, request: &mut Request) -> Result<Query, ApiError> {
    let text = text(&body(services, request).await?)?;
    let Some(boundary) = request.header(CONTENT_TYPE).and_then(multipart::boundary) else {
        return Ok(Query::parse(&text)?);
    };
    let pairs = multipart::fields(&text, boundary);
    Ok(Query::of_pairs(pairs.ok_or_else(|| ApiError::bad_request("bad_body", "There was an error parsing the body"))?))
}

pub(super) async fn body(services: &Services, request: &mut Request) -> Result<Vec<u8>, ApiError> {
    Ok(admission::small(services, request, BODY_BYTES_MAX).await?.0)
}

pub(super) fn text(body: &[u8]) -> Result<String, ApiError> {
    let text = String::from_utf8(body.to_vec());
    text.map_err(|_| ApiError::bad_request("bad_body", "There was an error parsing the body"))
}

/// The fields of a JSON body, which must be an object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(refused(vec![missing(&["body"])]));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(refused(vec![NO_OBJECT.told(&json!(["body"]), &Value::Null)])),
        Err(error) => Err(no_json(offset(body, &error), "Expecting value")),
    }
}

/// A body that is no JSON, as can be told at this byte.
pub(super) fn no_json(offset: usize, reason: &str) -> ApiError {
    let mut told = NO_JSON.told(&json!(["body", offset]), &json!({}));
    told["ctx"] = json!({ "error": reason });
    refused(vec![told])
}

/// Texts that all have to be there.
pub(super) fn texts<const N: usize>(fields: &Map<String, Value>, names: [&str; N]) -> Result<[String; N], ApiError> {
    let problems: Vec<Value> = names
        .iter()
        .filter_map(|name| match fields.get(*name) {
            None => Some(missing(&["body", name])),
            Some(Value::String(_)) => None,
            Some(_) => Some(NO_TEXT.told(&json!(["body", name]), &Value::Null)),
        })
        .collect();
    if !problems.is_empty() {
        return Err(refused(problems));
    }
    Ok(names.map(|name| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()))
}

/// Fields of a form that all have to be there, and not empty.
pub(super) fn form_texts<const N: usize>(form: &Query, names: [&str; N]) -> Result<[String; N], ApiError> {
    let get = |name: &str| form.get(name).filter(|text| !text.is_empty());
    let problems: Vec<Value> =
        names.iter().filter(|name| get(name).is_none()).map(|name| missing(&["body", name])).collect();
    if !problems.is_empty() {
        return Err(refused(problems));
    }
    Ok(names.map(|name| get(name).unwrap_or_default().to_owned()))
}

pub(super) fn missing(place: &[&str]) -> Value {
    MISSING.told(&json!(place), &Value::Null)
}

pub(super) fn refused(details: Vec<Value>) -> ApiError {
    ApiError::unprocessable("validation", "the request is not as it has to be").with_details(details)
}

/// Where the reader stopped, in bytes.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let lines = body.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    (lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)).min(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::ErrorStatus;

    fn told<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> Value {
        let error = outcome.unwrap_err();
        assert_eq!(error.status(), ErrorStatus::Unprocessable);
        error.details().to_vec().into()
    }

    #[test]
    fn each_thing_that_is_missing_or_wrong_is_told_and_nothing_that_was_sent() {
        let fields = object(br#"{"username":7,"other":"hunter2"}"#).unwrap();
        assert_eq!(
            told(texts(&fields, ["username", "password"])),
            json!([
                { "type": "string_type", "loc": ["body", "username"], "msg": "Input should be a valid string",
                  "input": null },
                { "type": "missing", "loc": ["body", "password"], "msg": "Field required", "input": null },
            ])
        );
        assert_eq!(told(object(b" "))[0]["loc"], json!(["body"]));
        assert_eq!(told(object(b"[1]"))[0]["type"], "model_attributes_type");
        let broken = told(object(b"{\"a\":1,\n x}"));
        assert_eq!((&broken[0]["type"], &broken[0]["loc"]), (&json!("json_invalid"), &json!(["body", 9])));
    }

    #[test]
    fn an_empty_field_of_a_form_is_missing() {
        let form = Query::parse("username=ann+b%26&password=").unwrap();
        assert_eq!(form_texts(&form, ["username"]).unwrap(), ["ann b&"]);
        assert_eq!(told(form_texts(&form, ["username", "password"]))[0]["loc"], json!(["body", "password"]));
    }
}

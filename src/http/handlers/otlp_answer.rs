//! What OpenTelemetry requests are answered, in the form they came in: what was refused is told as a partial success, or
//! as an error when nothing was left.

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde_json::json;

use super::influx_answer::{ACCEPTED, LEFT_OUT, REJECTED};
use crate::http::error::ErrorStatus;
use crate::http::rpc::{JSON, PROTOBUF};
use crate::http::{ApiError, Request, Response, response};
use crate::model::{Intake, Verdicts};
use crate::wire::otlp::answer;

/// Refusals that are spelt out in one answer: agents log it as one line.
const REASONS_MAX: usize = 8;

/// The two forms of a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

impl Form {
    /// Without a type it is protobuf, the form that every agent has.
    pub(super) fn of(request: &Request) -> Result<Self, ApiError> {
        let content_type = request.header(CONTENT_TYPE).unwrap_or(PROTOBUF);
        let name = content_type.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case(PROTOBUF) {
            Ok(Self::Protobuf)
        } else if name.eq_ignore_ascii_case(JSON) {
            Ok(Self::Json)
        } else {
            let message = "the content type is neither application/x-protobuf nor application/json";
            Err(ApiError::new(ErrorStatus::UnsupportedMediaType, "unsupported_media_type", message))
        }
    }
}

/// What a request came to.
pub(super) struct Outcome<'a> {
    /// Samples or lines that are committed.
    accepted: usize,
    left_out: u32,
    verdicts: &'a Verdicts,
}

impl<'a> Outcome<'a> {
    pub(super) fn of(intake: &'a Intake, accepted: usize) -> Self {
        Self { accepted, left_out: intake.left_out.values, verdicts: &intake.verdicts }
    }

    fn reasons(&self, what: &str) -> String {
        let mut listed: Vec<_> = self.verdicts.listed().iter().collect();
        listed.sort_by_key(|verdict| verdict.index);
        listed.dedup_by_key(|verdict| verdict.index);
        let shown = listed.iter().take(REASONS_MAX);
        let mut reasons: Vec<String> =
            shown.map(|verdict| format!("{what} {}: {}", verdict.index, verdict.message)).collect();
        if self.verdicts.items() as usize > reasons.len() {
            reasons.push(format!("and {} more", self.verdicts.items() as usize - reasons.len()));
        }
        reasons.join("; ")
    }
}

pub(super) fn metrics(form: Form, outcome: &Outcome<'_>) -> Result<Response, ApiError> {
    answer(form, outcome, ("data point", "rejectedDataPoints"))
}

pub(super) fn logs(form: Form, outcome: &Outcome<'_>) -> Result<Response, ApiError> {
    answer(form, outcome, ("log record", "rejectedLogRecords"))
}

fn answer(form: Form, outcome: &Outcome<'_>, (what, field): (&str, &str)) -> Result<Response, ApiError> {
    let rejected = outcome.verdicts.items();
    let reasons = outcome.reasons(what);
    if outcome.accepted == 0 && rejected > 0 {
        return Err(ApiError::bad_request("nothing_stored", reasons));
    }
    let mut answer = match form {
        Form::Protobuf => {
            let body = answer::export_response(u64::from(rejected), &reasons);
            response::bytes(StatusCode::OK, PROTOBUF, body.into())
        }
        Form::Json if rejected == 0 => response::json(StatusCode::OK, &json!({}))?,
        Form::Json => {
            // 64-bit integers are texts in this form.
            let told = json!({ "partialSuccess": { field: rejected.to_string(), "errorMessage": reasons } });
            response::json(StatusCode::OK, &told)?
        }
    };
    let headers = answer.headers_mut();
    headers.insert(ACCEPTED, outcome.accepted.into());
    headers.insert(REJECTED, rejected.into());
    if outcome.left_out > 0 {
        headers.insert(LEFT_OUT, outcome.left_out.into());
    }
    Ok(answer)
}

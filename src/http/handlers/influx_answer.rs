//! What the write endpoints answer, each in the words of the InfluxDB it belongs to. How much was accepted, refused and
//! left out stands in headers of every answer.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::http::{ApiError, Response, response};
use crate::model::{Code, Intake, Verdict};
use crate::wire::influx::ShownLines;

pub(super) const ACCEPTED: HeaderName = HeaderName::from_static("x-millrace-accepted");
pub(super) const REJECTED: HeaderName = HeaderName::from_static("x-millrace-rejected");
pub(super) const LEFT_OUT: HeaderName = HeaderName::from_static("x-millrace-left-out");
const LEFT_OUT_LINES: HeaderName = HeaderName::from_static("x-millrace-left-out-lines");

/// What a body came to.
pub(super) struct Outcome<'a> {
    pub(super) body: &'a [u8],
    /// Samples that are committed.
    pub(super) accepted: usize,
    pub(super) intake: &'a Intake,
}

impl Outcome<'_> {
    fn rejected(&self) -> u32 {
        self.intake.verdicts.total()
    }

    /// The refusals that are spelt out, in the order of the lines.
    fn listed(&self) -> Vec<&Verdict> {
        let mut listed: Vec<&Verdict> = self.intake.verdicts.listed().iter().collect();
        listed.sort_by_key(|verdict| verdict.index);
        listed
    }

    fn reasons(&self) -> String {
        let mut lines = ShownLines::of(self.body);
        self.listed().into_iter().map(|verdict| reason(verdict, &mut lines)).collect::<Vec<_>>().join("\n")
    }
}

/// One refusal, in InfluxDB's words where it has some: agents look for them to tell what can never be stored.
fn reason(Verdict { index, code, message }: &Verdict, lines: &mut ShownLines<'_>) -> String {
    match code {
        Code::TooOld | Code::TooFarInFuture => format!("points beyond retention policy: line {}: {message}", index + 1),
        Code::TooManySeries | Code::TooManyServers | Code::UnknownServer => format!("line {}: {message}", index + 1),
        _ => format!("unable to parse '{}': {message}", lines.show(*index)),
    }
}

/// Says in the headers what became of the body.
pub(super) fn tell(outcome: &Outcome<'_>, headers: &mut HeaderMap) {
    headers.insert(ACCEPTED, HeaderValue::from(outcome.accepted));
    headers.insert(REJECTED, HeaderValue::from(outcome.rejected()));
    let left_out = &outcome.intake.left_out;
    if left_out.values > 0 {
        headers.insert(LEFT_OUT, HeaderValue::from(left_out.values));
        let lines: Vec<String> = left_out.listed().iter().map(|line| (line + 1).to_string()).collect();
        if let Ok(lines) = HeaderValue::try_from(lines.join(",")) {
            headers.insert(LEFT_OUT_LINES, lines);
        }
    }
}

/// `{"error":"…"}`; the prefix tells agents that the rest is stored and nothing is to be sent again.
pub(super) fn v1(outcome: &Outcome<'_>) -> Result<Response, ApiError> {
    let (reasons, rejected) = (outcome.reasons(), outcome.rejected());
    let error = match (rejected, outcome.accepted) {
        (0, _) => return Ok(response::empty(StatusCode::NO_CONTENT)),
        (_, 0) => reasons,
        _ => format!("partial write: {reasons} dropped={rejected}"),
    };
    response::json(StatusCode::BAD_REQUEST, &json!({ "error": error }))
}

/// `{"code":"invalid","message":"…","line":1}`, the line being the first that is refused.
pub(super) fn v2(outcome: &Outcome<'_>) -> Result<Response, ApiError> {
    let listed = outcome.listed();
    let Some(first) = listed.first() else { return Ok(response::empty(StatusCode::NO_CONTENT)) };
    let (reasons, rejected) = (outcome.reasons(), outcome.rejected());
    let message = match outcome.accepted {
        0 => reasons,
        _ => format!("partial write: {reasons} dropped={rejected}"),
    };
    let line = first.index + 1;
    response::json(StatusCode::BAD_REQUEST, &json!({ "code": "invalid", "message": message, "line": line }))
}

/// `{"error":"…","data":[{"original_line":"…","line_number":1,"error_message":"…"}]}`.
pub(super) fn v3(outcome: &Outcome<'_>) -> Result<Response, ApiError> {
    if outcome.rejected() == 0 {
        return Ok(response::empty(StatusCode::NO_CONTENT));
    }
    let mut shown = ShownLines::of(outcome.body);
    let lines: Vec<Value> = outcome.listed().into_iter().map(|verdict| line(verdict, &mut shown)).collect();
    let error = match outcome.accepted {
        0 => "parsing failed for write_lp endpoint",
        _ => "partial write of line protocol occurred",
    };
    response::json(StatusCode::BAD_REQUEST, &json!({ "error": error, "data": lines }))
}

fn line(verdict: &Verdict, lines: &mut ShownLines<'_>) -> Value {
    json!({
        "original_line": lines.show(verdict.index),
        "line_number": verdict.index + 1,
        "error_message": verdict.message,
    })
}

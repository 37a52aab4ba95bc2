//! What the endpoints of Prometheus answer: reasons in plain text, and in headers how much is written.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::prometheus::Form;
use crate::catalog::Resolved;
use crate::http::{Response, response};
use crate::model::{Intake, Points, Verdict};
use crate::wire::prometheus::{ends_histogram, is_of_histogram};

const SAMPLES: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS: HeaderName = HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");
const ACCEPTED: HeaderName = HeaderName::from_static("x-millrace-accepted");
const REJECTED: HeaderName = HeaderName::from_static("x-millrace-rejected");
const LEFT_OUT: HeaderName = HeaderName::from_static("x-millrace-left-out");

/// What is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Samples as they came.
    pub(super) samples: usize,
    /// Native histograms.
    pub(super) histograms: usize,
    /// Samples that those became.
    pub(super) parts: usize,
}

/// What a body came to.
pub(super) struct Outcome<'a> {
    pub(super) written: Written,
    pub(super) intake: &'a Intake,
}

/// The points that are parts of native histograms; empty for nearly every body.
#[derive(Debug, Default)]
pub(super) struct Histograms {
    /// Their places in order, and whether that part is the last of its histogram.
    parts: Vec<(usize, bool)>,
}

impl Histograms {
    pub(super) fn of(text: &[u8], points: &Points) -> Self {
        let parts = points.identities.iter().enumerate().filter(|(_, raw)| is_of_histogram(**raw));
        Self { parts: parts.map(|(place, raw)| (place, ends_histogram(text, *raw))).collect() }
    }

    /// What of all is going to be committed. A histogram of which a part is missing does not count as one.
    pub(super) fn written(&self, resolved: &Resolved) -> Written {
        let (mut parts, mut histograms, mut is_whole) = (0, 0, true);
        for (place, is_last) in &self.parts {
            let is_kept = resolved.lost.binary_search(place).is_err();
            parts += usize::from(is_kept);
            is_whole &= is_kept;
            if *is_last {
                histograms += usize::from(is_whole);
                is_whole = true;
            }
        }
        Written { samples: resolved.batch.len() - parts, histograms, parts }
    }
}

/// Nothing refused is a success; otherwise the rest is committed all the same, and 400 says that it is for good.
pub(super) fn answer(outcome: &Outcome<'_>, form: &Form, success: StatusCode) -> Response {
    let Outcome { written, intake } = outcome;
    let rejected = intake.verdicts.total();
    let mut answer = match rejected {
        0 => response::empty(success),
        _ => response::text(StatusCode::BAD_REQUEST, reasons(outcome, form)),
    };
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(ACCEPTED, HeaderValue::from(written.samples + written.parts));
    headers.insert(REJECTED, HeaderValue::from(rejected));
    if intake.left_out.values > 0 {
        headers.insert(LEFT_OUT, HeaderValue::from(intake.left_out.values));
    }
    if !matches!(form, Form::Text(..)) {
        headers.insert(SAMPLES, HeaderValue::from(written.samples));
        headers.insert(HISTOGRAMS, HeaderValue::from(written.histograms));
        headers.insert(EXEMPLARS, HeaderValue::from(0));
    }
    answer
}

/// How many are refused and the first reason in one line, since that is what is logged; then all reasons.
fn reasons(Outcome { written, intake }: &Outcome<'_>, form: &Form) -> String {
    let mut listed: Vec<&Verdict> = intake.verdicts.listed().iter().collect();
    listed.sort_by_key(|verdict| verdict.index);
    let (what, first) = match form {
        Form::Text(..) => ("line", 1),
        Form::Write1 | Form::Write2 => ("series", 0),
    };
    let reason = |verdict: &&Verdict| format!("{what} {}: {}", verdict.index + first, verdict.message);
    let reasons: Vec<String> = listed.iter().map(reason).collect();
    let (refused, stored) = (intake.verdicts.total(), written.samples + written.parts);
    let head = format!("{refused} refused, {stored} samples stored; {}", reasons.first().cloned().unwrap_or_default());
    [head].into_iter().chain(reasons.into_iter().skip(1)).collect::<Vec<_>>().join("\n") + "\n"
}

//! Reads samples back through the API and compares them with what was sent.
//!
//! What must be there is known from the seed, so nothing that was sent has to be kept. Knows the paging contract of
//! `GET /api/v1/metrics` and nothing else of the server.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::client::{Client, ClientError};
use crate::clock;
use crate::data::stream::Block;
use crate::data::{Fleet, METRICS, walk};

const PAGE_SAMPLES: usize = 10_000;
const PAGES_MAX: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{path} was answered {status}: {text}")]
    Refused { path: String, status: u16, text: String },
    #[error("the answer to {path} is not the contract's")]
    Malformed { path: String, source: serde_json::Error },
    #[error("the answer did not end after {PAGES_MAX} pages")]
    Endless,
}

/// What is known of one step of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    NotSent,
    /// Sent and not acknowledged: it may be there or not.
    Open,
    Acknowledged,
}

/// What was found of what was looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    pub(crate) acknowledged: u64,
    pub(crate) found: u64,
    /// Acknowledged and not there.
    pub(crate) lost: u64,
    /// There, with another value than was sent.
    pub(crate) wrong: u64,
    /// There more than once.
    pub(crate) duplicate: u64,
    /// There, but never sent.
    pub(crate) foreign: u64,
    /// There although the request was not acknowledged, which is allowed.
    pub(crate) unacknowledged: u64,
}

#[derive(Deserialize)]
struct Page {
    metrics: Option<Vec<Sample>>,
    next_cursor: Option<serde_json::Value>,
}

/// One sample as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sample {
    pub(crate) server_id: uuid::Uuid,
    pub(crate) metric_name: String,
    pub(crate) value: f64,
    pub(crate) timestamp: String,
}

impl Findings {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.wrong + self.duplicate + self.foreign == 0
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.found += other.found;
        self.lost += other.lost;
        self.wrong += other.wrong;
        self.duplicate += other.duplicate;
        self.foreign += other.foreign;
        self.unacknowledged += other.unacknowledged;
    }

    pub(crate) fn sentence(&self) -> String {
        let Self { acknowledged, lost, wrong, duplicate, foreign, .. } = self;
        format!(
            "of {acknowledged} acknowledged samples {lost} lost, {wrong} wrong, {duplicate} double, {foreign} foreign"
        )
    }
}

/// The fates of a host's steps: all `sent` acknowledged, except those in `open`.
pub(crate) fn fates(host: usize, sent: u32, open: &[Block]) -> Vec<Fate> {
    let mut fates = vec![Fate::Acknowledged; sent as usize];
    for block in open.iter().filter(|block| block.hosts.contains(&host)) {
        let end = (block.steps.end as usize).min(fates.len());
        let start = (block.steps.start as usize).min(end);
        fates[start..end].fill(Fate::Open);
    }
    fates
}

/// Looks up one series of a host and compares every sample.
pub(crate) fn check_series(
    client: &mut Client,
    fleet: &Fleet,
    host: usize,
    metric: usize,
    fates: &[Fate],
) -> Result<Findings, VerifyError> {
    let steps = u32::try_from(fates.len()).unwrap_or(u32::MAX);
    let mut path = format!("/api/v1/metrics?server_id={}", fleet.hosts[host].id);
    // The type depends on the dialect it came in.
    path += &format!("&metric_name={}", METRICS[metric]);
    let from = clock::rfc3339_text(fleet.time_ms(0) - 1);
    let to = clock::rfc3339_text(fleet.time_ms(steps) - 1);
    path += &format!("&from={from}&to={to}&limit={PAGE_SAMPLES}");
    let samples = read_all(client, &path)?;
    let mut walk = fleet.walk(host, metric);
    let values: Vec<f64> = fates.iter().map(|_| walk::value(walk.next_cents())).collect();
    let found = samples.iter().map(|sample| {
        let named_right = sample.server_id == fleet.hosts[host].id && sample.metric_name == METRICS[metric];
        let time_us = clock::parse_rfc3339_us(&sample.timestamp).filter(|_| named_right);
        (time_us.and_then(|time_us| fleet.step_at_us(time_us)), sample.value)
    });
    Ok(compare(fates, &values, found))
}

/// Follows the cursor to the end.
fn read_all(client: &mut Client, path: &str) -> Result<Vec<Sample>, VerifyError> {
    let mut samples = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let page = read_page(client, &format!("{path}{cursor}"))?;
        samples.extend(page.metrics.unwrap_or_default());
        cursor = match page.next_cursor {
            None | Some(serde_json::Value::Null) => return Ok(samples),
            Some(serde_json::Value::String(text)) if text.is_empty() => return Ok(samples),
            Some(serde_json::Value::String(text)) => format!("&cursor={}", percent_encoded(&text)),
            Some(other) => format!("&cursor={}", percent_encoded(&other.to_string())),
        };
    }
    Err(VerifyError::Endless)
}

fn read_page(client: &mut Client, path: &str) -> Result<Page, VerifyError> {
    let answer = client.get(path)?;
    if answer.status != 200 {
        let text = String::from_utf8_lossy(answer.body).chars().take(300).collect();
        return Err(VerifyError::Refused { path: path.to_owned(), status: answer.status, text });
    }
    serde_json::from_slice(answer.body).map_err(|source| VerifyError::Malformed { path: path.to_owned(), source })
}

fn compare(fates: &[Fate], values: &[f64], found: impl Iterator<Item = (Option<u32>, f64)>) -> Findings {
    let mut findings = Findings::default();
    let mut seen = vec![false; fates.len()];
    for (step, value) in found {
        let step = step.map(|step| step as usize).filter(|step| *step < fates.len() && fates[*step] != Fate::NotSent);
        let Some(step) = step else {
            findings.foreign += 1;
            continue;
        };
        findings.found += 1;
        findings.duplicate += u64::from(std::mem::replace(&mut seen[step], true));
        findings.wrong += u64::from(value.to_bits() != values[step].to_bits());
        findings.unacknowledged += u64::from(fates[step] == Fate::Open);
    }
    for (fate, seen) in fates.iter().zip(seen).filter(|(fate, _)| **fate == Fate::Acknowledged) {
        debug_assert_eq!(*fate, Fate::Acknowledged);
        findings.acknowledged += 1;
        findings.lost += u64::from(!seen);
    }
    findings
}

/// Everything but unreserved characters is escaped.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_is_found() {
        let fates = [Fate::Acknowledged, Fate::Acknowledged, Fate::Open, Fate::NotSent, Fate::Acknowledged];
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let found = [(Some(0), 1.0), (Some(0), 1.0), (Some(2), 3.5), (Some(3), 4.0), (None, 0.0), (Some(4), 5.0)];
        let findings = compare(&fates, &values, found.into_iter());
        let expected =
            Findings { acknowledged: 3, found: 4, lost: 1, wrong: 1, duplicate: 1, foreign: 2, unacknowledged: 1 };
        assert_eq!(findings, expected);
        assert!(!findings.is_clean());
    }

    #[test]
    fn steps_of_unacknowledged_blocks_may_be_missing() {
        let open = [Block { hosts: vec![4, 7], steps: 2..4 }, Block { hosts: vec![9], steps: 0..1 }];
        let fates = fates(7, 5, &open);
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Open).count(), 2);
        assert_eq!((fates[1], fates[2], fates[4]), (Fate::Acknowledged, Fate::Open, Fate::Acknowledged));
    }

    #[test]
    fn a_cursor_travels_whatever_it_holds() {
        assert_eq!(percent_encoded("aZ9-_.~"), "aZ9-_.~");
        assert_eq!(percent_encoded("a b+/=é"), "a%20b%2B%2F%3D%C3%A9");
    }
}

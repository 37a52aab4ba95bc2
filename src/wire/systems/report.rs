//! What a document comes to, whichever system it is of.

use std::borrow::Cow;

use crate::model::{Code, Intake, Micros};
use crate::wire::composed::{self, Head};
use crate::wire::tree::Value;
use crate::wire::tree::series::{Found, Rule, find};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub time: Micros,
    pub kind: String,
    pub severity: String,
    pub title: String,
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub time: Micros,
    pub source: String,
    pub message: String,
}

/// Adds the samples of `document` to `intake`, all at one time and of one host; their identities go into `text`. What
/// shares type and labels is one item, so that the catalog looks it up once.
pub fn write_samples(
    (document, rules): (Value<'_>, &'static [Rule]),
    (host, time): (&str, Micros),
    text: &mut Vec<u8>,
    intake: &mut Intake,
) {
    let mut last: Option<(String, Labels, Head)> = None;
    let mut item = intake.items;
    let left_out = find(document, rules, |found| {
        let is_same =
            last.as_ref().is_some_and(|(metric_type, labels, _)| metric_type == found.metric_type && labels.is(&found));
        if !is_same {
            item += u32::from(last.is_some());
            last = Some((found.metric_type.to_owned(), Labels::of(&found), head(text, host, &found)));
        }
        let Some((.., head)) = &last else { return };
        intake.points.push(item, 0, head.named(text, found.metric_name), time, found.value);
    });
    intake.items = item + u32::from(last.is_some());
    if left_out > 0 {
        let message = || format!("{left_out} numbers of the document are too many, too large or without a name");
        intake.verdicts.refuse(intake.items.saturating_sub(1), Code::NumberOutOfRange, message);
    }
}

fn head(text: &mut Vec<u8>, host: &str, found: &Found<'_>) -> Head {
    let mut head = composed::begin(text, host, found.metric_type);
    found.labels.iter().for_each(|(name, value)| head.label(text, name, value));
    head
}

#[derive(Debug)]
struct Labels(Vec<(String, String)>);

impl Labels {
    fn of(found: &Found<'_>) -> Self {
        let owned = |text: &Cow<'_, str>| text.clone().into_owned();
        Self(found.labels.iter().map(|(name, value)| (owned(name), owned(value))).collect())
    }

    fn is(&self, found: &Found<'_>) -> bool {
        let (known, found) = (&self.0, found.labels);
        known.len() == found.len()
            && known.iter().zip(found).all(|(known, found)| known.0 == found.0 && known.1 == found.1)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The samples in `intake` as text, a line each: `host type/name{labels} value`.
    pub(in crate::wire::systems) fn shown(text: &[u8], intake: &Intake) -> Vec<String> {
        let points = &intake.points;
        let line = |place: usize| {
            let raw = points.identities[place];
            let (host, identity) = (composed::host(text, raw).unwrap(), composed::identity(text, raw).unwrap());
            let labels: Vec<String> = identity.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let (metric_type, metric_name) = (identity.metric_type(), identity.metric_name());
            format!("{host} {metric_type}/{metric_name}{{{}}} {}", labels.join(","), points.values[place])
        };
        (0..points.len()).map(line).collect()
    }
}

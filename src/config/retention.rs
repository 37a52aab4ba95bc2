//! The exceptions to how long things are kept, as people write them: `TYPE/NAME@HOSTNAME=RAW,MINUTES,HOURS`, with commas
//! between them too. Every entry that is wrong is told with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::Problem;
use super::settings::{RetentionOverride, Tiers};
use super::value::{parse_span, write_span};

const KEY: &str = "retention.overrides";
/// Every series is compared with each of them.
pub(super) const OVERRIDES_MAX: usize = 256;
/// What any tier may be kept for, in milliseconds.
pub(super) const SPAN_MS: RangeInclusive<u64> = 3_600_000..=36_500 * 86_400_000;

/// Reads all entries; those that are wrong are added to `problems`.
pub(super) fn parse_overrides(text: &str, problems: &mut Vec<Problem>) -> Vec<RetentionOverride> {
    let mut overrides: Vec<RetentionOverride> = Vec::new();
    let mut refuse = |entry: &str, reason: String| {
        problems.push(Problem::BadValue { origin: KEY.to_owned(), given: format!("{entry:?}"), accepted: reason });
    };
    for entry in entries(text) {
        match parse(&entry) {
            Ok(new) if overrides.iter().any(|earlier| earlier.is_for_the_same(&new)) => {
                refuse(&entry, "an earlier entry is for the same series, and the first one counts".to_owned());
            }
            Ok(_) if overrides.len() == OVERRIDES_MAX => {
                refuse(&entry, format!("there are {OVERRIDES_MAX} entries before it, no more are allowed"));
                break;
            }
            Ok(new) => overrides.push(new),
            Err(reason) => refuse(&entry, reason),
        }
    }
    overrides
}

/// Commas stand within entries and between them: an entry begins with the piece that has the equals sign.
fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for piece in text.split(',').map(str::trim) {
        match entries.last_mut() {
            Some(entry) if !piece.contains('=') => {
                entry.push(',');
                entry.push_str(piece);
            }
            _ => entries.push(piece.to_owned()),
        }
    }
    entries
}

fn parse(entry: &str) -> Result<RetentionOverride, String> {
    let (series, spans) = entry.rsplit_once('=').ok_or("there is no = before the times")?;
    let (name, hostname) = series.rsplit_once('@').ok_or("there is no @ before the hostname")?;
    let (metric_type, metric_name) = name.split_once('/').ok_or("there is no / between type and name")?;
    let texts = [("type", metric_type), ("name", metric_name), ("hostname", hostname)];
    if let Some((what, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
        return Err(format!("the {what} is empty; * stands for any"));
    }
    let spans: Vec<&str> = spans.split(',').collect();
    let [raw, minutes, hours] = spans[..] else {
        return Err(format!("give three times after the =, for raw, minutes and hours; there are {}", spans.len()));
    };
    let tiers = Tiers { raw: span("raw", raw)?, minutes: span("minutes", minutes)?, hours: span("hours", hours)? };
    let [metric_type, metric_name, hostname] = [metric_type, metric_name, hostname].map(|text| text.trim().to_owned());
    Ok(RetentionOverride { metric_type, metric_name, hostname, tiers })
}

fn span(what: &str, text: &str) -> Result<Duration, String> {
    let range = Duration::from_millis(*SPAN_MS.start())..=Duration::from_millis(*SPAN_MS.end());
    let (shortest, longest) = (write_span(*range.start()), write_span(*range.end()));
    parse_span(text.trim())
        .filter(|span| range.contains(span))
        .ok_or_else(|| format!("{what}: {text:?} is no time from {shortest} to {longest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn entries_are_told_apart_though_commas_stand_in_them_too() {
        let mut problems = Vec::new();
        let text = "cpu/*@web-*=24h,7d,365d, disk/io/read@*=1d,2d,3d";
        let overrides = parse_overrides(text, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let seen: Vec<_> = overrides
            .iter()
            .map(|one| (&*one.metric_type, &*one.metric_name, &*one.hostname, one.tiers.raw, one.tiers.hours))
            .collect();
        assert_eq!(seen, [("cpu", "*", "web-*", DAY, DAY * 365), ("disk", "io/read", "*", DAY, DAY * 3)]);
    }

    #[test]
    fn every_bad_entry_is_told_with_its_reason() {
        let text = "cpu=1d,2d,3d,cpu@a=1d,2d,3d,cpu/@a=1d,2d,3d,cpu/x@a=1d,2d,cpu/x@a=1d,2,3d,cpu/x@a=1d,2d,1m,\
                    cpu/x@a=1d,2d,3d,cpu/x@a=4d,5d,6d,/x@=1d,2d,3d";
        let mut problems = Vec::new();
        assert_eq!(parse_overrides(text, &mut problems).len(), 1);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let expected = [
            "\"cpu=1d,2d,3d\" is not accepted; there is no @ before the hostname",
            "\"cpu@a=1d,2d,3d\" is not accepted; there is no / between type and name",
            "\"cpu/@a=1d,2d,3d\" is not accepted; the name is empty; * stands for any",
            "\"cpu/x@a=1d,2d\" is not accepted; give three times after the =, for raw, minutes and hours; there are 2",
            "\"cpu/x@a=1d,2,3d\" is not accepted; minutes: \"2\" is no time from 1h to 36500d",
            "\"cpu/x@a=1d,2d,1m\" is not accepted; hours: \"1m\" is no time from 1h to 36500d",
            "\"cpu/x@a=4d,5d,6d\" is not accepted; an earlier entry is for the same series, and the first one counts",
            "\"/x@=1d,2d,3d\" is not accepted; the type is empty; * stands for any",
        ];
        assert_eq!(told, expected.map(|line| format!("retention.overrides: {line}")));
    }

    #[test]
    fn there_are_only_so_many_entries() {
        let entries =
            (0..=OVERRIDES_MAX).map(|number| format!("cpu/{number}@*=1d,2d,3d")).collect::<Vec<_>>().join(",");
        let mut problems = Vec::new();
        assert_eq!(parse_overrides(&entries, &mut problems).len(), OVERRIDES_MAX);
        assert_eq!(problems.len(), 1);
    }
}

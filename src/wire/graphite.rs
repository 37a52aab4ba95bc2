//! Graphite's plain text: `path;tag=value 1.5 1700000000`, a sample a line.
//!
//! The path is the metric name, the metric type is `graphite`, the tag `host` or `hostname` names the server and the
//! other tags are the labels. Times are seconds; without one, or with -1 or `N`, it is now.
//!
//! Invariant: a line that is refused never touches its neighbours. Knows no socket: whoever has lines hands them in.

use super::tags::{Refused, Tags, shown, single};
use crate::model::{Code, Intake, Micros};

/// Longest line; whoever cuts lines out of a stream must refuse a longer one.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
const METRIC_TYPE: &str = "graphite";

/// Decodes whole lines to points of `intake` over `text`, behind what is there already. Items are lines that are not
/// blank.
pub fn decode(lines: &[u8], (default_host, now): (&str, Micros), text: &mut Vec<u8>, intake: &mut Intake) {
    let mut labels = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let item = intake.items;
        intake.items += 1;
        match read(line, now) {
            Ok(Line { name, mut tags, value, time }) => {
                labels.clear();
                let host = tags.host().unwrap_or(default_host);
                tags.write_labels(&mut labels);
                let raw = single(text, host, (METRIC_TYPE, [name, ""]), &[&labels]);
                intake.points.push(item, 0, raw, time, value);
            }
            Err((code, reason)) => {
                intake.verdicts.refuse(item, code, || format!("{reason} in '{}'", shown(line)));
            }
        }
    }
}

struct Line<'a> {
    name: &'a str,
    tags: Tags<'a>,
    value: f64,
    time: Micros,
}

fn read(line: &[u8], now: Micros) -> Result<Line<'_>, Refused> {
    let malformed = |what: &str| (Code::MalformedLine, what.to_owned());
    if line.len() > LINE_BYTES_MAX {
        return Err((Code::MalformedLine, format!("more than {LINE_BYTES_MAX} bytes")));
    }
    let line = std::str::from_utf8(line).map_err(|_| (Code::InvalidText, "text that is not UTF-8".to_owned()))?;
    let mut words = line.split_ascii_whitespace();
    let (Some(path), Some(value)) = (words.next(), words.next()) else { return Err(malformed("no value")) };
    let time = words.next();
    if words.next().is_some() {
        return Err(malformed("more than path, value and time"));
    }
    let mut parts = path.split(';');
    let name = parts.next().unwrap_or_default();
    let mut tags = Tags::default();
    for tag in parts {
        let (name, value) = tag.split_once('=').ok_or_else(|| (Code::InvalidLabels, "a tag without =".to_owned()))?;
        tags.add(name, value)?;
    }
    let value: f64 = value.parse().map_err(|_| (Code::InvalidType, "a value that is no number".to_owned()))?;
    if !value.is_finite() {
        return Err((Code::NotFinite, "a value that is not finite".to_owned()));
    }
    let time = match time {
        None | Some("-1" | "N") => now,
        Some(text) => seconds(text).ok_or_else(|| (Code::InvalidTimestamp, "a time that is none".to_owned()))?,
    };
    Ok(Line { name, tags, value, time })
}

/// Whole seconds, or with a fraction that is kept to the microsecond.
fn seconds(text: &str) -> Option<Micros> {
    const FRACTION_DIGITS: usize = 6;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(FRACTION_DIGITS);
    let micros = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let time = Micros(whole.parse::<i64>().ok()?.checked_mul(Micros::PER_SECOND)?.checked_add(micros)?);
    (Micros::FIRST..=Micros::LAST).contains(&time).then_some(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::composed::{host, identity};

    const NOW: Micros = Micros(7);

    fn read_all(lines: &[u8]) -> (Vec<String>, Vec<String>) {
        let (mut text, mut intake) = (Vec::new(), Intake::default());
        decode(lines, ("default", NOW), &mut text, &mut intake);
        let points = &intake.points;
        let sample = |place: usize| {
            let raw = points.identities[place];
            let (host, found) = (host(&text, raw).unwrap(), identity(&text, raw).unwrap());
            let labels: Vec<String> = found.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let (name, time) = (found.metric_name(), points.times[place].0);
            format!("{host} {name} {labels:?} {:?} {time}", points.values[place])
        };
        let told = intake.verdicts.listed().iter().map(|one| format!("{} {}", one.index, one.message)).collect();
        ((0..points.len()).map(sample).collect(), told)
    }

    #[test]
    fn lines_are_samples_and_tags_are_labels() {
        let (samples, told) = read_all(
            b"a.b.c 1.5 1700000000\n\nd;host=web-1;x=y;a=b\t-2e3  1700000000.25\r\ne 3\nf 4 -1\ng;hostname=h 5 N",
        );
        assert_eq!(told, [""; 0]);
        assert_eq!(
            samples,
            [
                "default a.b.c [] 1.5 1700000000000000",
                r#"web-1 d ["a=b", "x=y"] -2000.0 1700000000250000"#,
                "default e [] 3.0 7",
                "default f [] 4.0 7",
                "h g [] 5.0 7",
            ]
        );
    }

    #[test]
    fn a_bad_line_is_refused_by_its_place_and_its_neighbours_are_read() {
        let long = format!("{} 1 1", "x".repeat(LINE_BYTES_MAX));
        for (bad, reason) in [
            ("a", "no value in 'a'"),
            ("a x 1", "a value that is no number in 'a x 1'"),
            ("a nan 1", "a value that is not finite in 'a nan 1'"),
            ("a 1 1 1", "more than path, value and time in 'a 1 1 1'"),
            ("a 1 -5", "a time that is none in 'a 1 -5'"),
            ("a 1 99999999999999", "a time that is none in 'a 1 99999999999999'"),
            ("a;b 1 1", "a tag without = in 'a;b 1 1'"),
            (&long, &format!("more than 8192 bytes in '{}'", "x".repeat(64))),
        ] {
            let (samples, told) = read_all(format!("good 1 1\n{bad}\ngood 2 2\n").as_bytes());
            assert_eq!((samples.len(), told), (2, vec![format!("1 {reason}")]));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(lines in prop::collection::vec(any::<u8>(), 0..120)) {
            let (mut text, mut intake) = (Vec::new(), Intake::default());
            decode(&lines, ("default", NOW), &mut text, &mut intake);
            prop_assert_eq!(intake.points.len() + intake.verdicts.items() as usize, intake.items as usize);
        }

        #[test]
        fn every_float_is_read_bit_for_bit(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let (mut text, mut intake) = (Vec::new(), Intake::default());
            decode(format!("a {value:?} 1").as_bytes(), ("default", NOW), &mut text, &mut intake);
            prop_assert_eq!(intake.points.values[0].to_bits(), value.to_bits());
        }
    }
}

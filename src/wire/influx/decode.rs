//! From a body to points, line by line.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use super::fields::{self, Names};
use super::refusal::Refusal;
use super::timestamp::{self, Precision};
use super::{KEY_BYTES_MAX, LINE_BYTES_MAX};
use crate::model::{Intake, Micros, Points, RawIdentity, Span};

/// What is done with a field that is a text, which no series can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strings {
    /// It is left out, counted and told, and is no error.
    #[default]
    Count,
    /// It is refused.
    Refuse,
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub precision: Precision,
    /// The time of lines that have none.
    pub now: Micros,
    pub strings: Strings,
}

/// Decodes a body into `intake`, which the caller has cleared. Lines and fields that cannot be used are refused there,
/// by the position of their line in the body, blank lines and comments counted.
///
/// The server of the points is left open; the span from the beginning of the type to the end of the labels is the part
/// of the line that tells it. See [`super::Naming`].
pub fn decode(body: &[u8], options: &Options, intake: &mut Intake) {
    let mut decoder = Decoder { body, options, names: Names::default(), noted: Noted::default() };
    let (mut at, mut line) = (0, 0);
    while at < body.len() {
        let start = fields::skip_blanks(body, at);
        match body.get(start) {
            None => break,
            Some(b'\n') => (at, line) = (start + 1, line + 1),
            Some(b'\r') if ends_line(body, start) => at = start + 1,
            Some(b'#') => at = memchr(b'\n', &body[start..]).map_or(body.len(), |length| start + length),
            Some(_) => {
                let (end, may_hold_breaks) = decoder.line(start, line, intake);
                if may_hold_breaks {
                    line += memchr_iter(b'\n', &body[start..end]).count() as u32;
                }
                at = end;
            }
        }
    }
}

struct Decoder<'a> {
    body: &'a [u8],
    options: &'a Options,
    names: Names,
    noted: Noted,
}

/// What a line holds beside points, kept until the line is known to be good.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) strings: u32,
    pub(super) refused: Vec<Refusal>,
}

impl Decoder<'_> {
    /// Reads the line that starts at `start` and answers where it ends, before its line break, and whether others may be
    /// in it: only a text can hold one.
    fn line(&mut self, start: usize, line: u32, intake: &mut Intake) -> (usize, bool) {
        intake.items += 1;
        let kept = intake.points.len();
        let read = self.read(start, &mut intake.points).and_then(|(end, time)| match end - start {
            ..=LINE_BYTES_MAX => Ok((end, time)),
            bytes => Err(Refusal::LineTooLong { bytes }),
        });
        match read {
            Ok((end, time)) => {
                complete(&mut intake.points, line, time);
                let has_notes = self.noted.strings > 0 || !self.noted.refused.is_empty();
                if has_notes {
                    self.tell(line, intake);
                }
                (end, has_notes)
            }
            Err(refusal) => {
                complete(&mut intake.points, line, self.options.now);
                intake.points.truncate(kept);
                self.noted = Noted::default();
                intake.verdicts.refuse(line, refusal.code(), || refusal.message(self.body));
                (refused_end(self.body, start), true)
            }
        }
    }

    /// Reads the values of a line into the columns of names and values, and answers its end and its time.
    #[inline(always)]
    fn read(&mut self, start: usize, points: &mut Points) -> Result<(usize, Micros), Refusal> {
        let key_end = key_end(self.body, start)?;
        let identity = self.identity(start, key_end)?;
        let first = fields::skip_blanks(self.body, key_end);
        let end = fields::read(self.body, first, identity, &mut self.names, (&mut self.noted, points))?;
        if self.options.strings == Strings::Refuse && self.noted.strings > 0 {
            for _ in 0..std::mem::take(&mut self.noted.strings) {
                self.noted.refused.push(Refusal::Text);
            }
        }
        timestamp::read(self.body, end, self.options)
    }

    /// Measurement and tags as spans, the name still empty.
    #[inline(always)]
    fn identity(&self, start: usize, key_end: usize) -> Result<RawIdentity, Refusal> {
        if key_end - start > KEY_BYTES_MAX {
            return Err(Refusal::KeyTooLong { bytes: key_end - start });
        }
        let mut measurement_end = start;
        while let Some(found) = memchr2(b',', b'\\', &self.body[measurement_end..key_end]) {
            measurement_end += found;
            if self.body[measurement_end] == b',' {
                break;
            }
            measurement_end = (measurement_end + 2).min(key_end);
        }
        let is_tagged = self.body.get(measurement_end) == Some(&b',') && measurement_end < key_end;
        let measurement_end = if is_tagged { measurement_end } else { key_end };
        if measurement_end == start {
            return Err(Refusal::MissingMeasurement);
        }
        let tags_start = measurement_end + usize::from(is_tagged);
        let metric_type = Span::new(start, measurement_end);
        Ok(RawIdentity { metric_type, metric_name: Span::default(), labels: Span::new(tags_start, key_end) })
    }

    #[cold]
    fn tell(&mut self, line: u32, intake: &mut Intake) {
        let Noted { strings, refused } = std::mem::take(&mut self.noted);
        intake.left_out.add(line, strings);
        for refusal in refused {
            intake.verdicts.refuse(line, refusal.code(), || refusal.message(self.body));
        }
    }
}

/// Where measurement and tags end: at the first blank without a backslash before it.
#[inline(always)]
fn key_end(body: &[u8], start: usize) -> Result<usize, Refusal> {
    let mut at = start;
    while let Some(found) = memchr3(b' ', b'\\', b'\n', body.get(at..).unwrap_or_default()) {
        at += found;
        match body[at] {
            b' ' => return Ok(at),
            b'\n' => break,
            _ => at += escape_length(body, at),
        }
    }
    Err(Refusal::MissingFields)
}

/// Gives the points that were added last their line, their time and an open server.
#[inline(always)]
fn complete(points: &mut Points, line: u32, time: Micros) {
    let length = points.values.len();
    points.items.resize(length, line);
    points.servers.resize(length, 0);
    points.times.resize(length, time);
}

/// How many bytes a backslash and what it stands before take; a line break cannot be escaped.
#[inline(always)]
pub(super) fn escape_length(body: &[u8], at: usize) -> usize {
    if matches!(body.get(at + 1), None | Some(b'\n')) { 1 } else { 2 }
}

/// Whether nothing more of the line is at `at`.
#[inline(always)]
pub(super) fn ends_line(body: &[u8], at: usize) -> bool {
    match body.get(at) {
        None | Some(b'\n') => true,
        Some(b'\r') => matches!(body.get(at + 1), None | Some(b'\n')),
        Some(_) => false,
    }
}

/// Where a line that was refused ends: at its first line break that is not part of a whole text.
#[cold]
fn refused_end(body: &[u8], start: usize) -> usize {
    let (mut at, mut in_fields) = (start, false);
    while let Some(byte) = body.get(at) {
        at += match byte {
            b'\n' => return at,
            b'\\' => escape_length(body, at),
            b'"' if in_fields && at > start && body[at - 1] == b'=' => match fields::text_end(body, at) {
                Some(end) if matches!(body.get(end), Some(b',' | b' ' | b'\t')) || ends_line(body, end) => end - at,
                _ => 1,
            },
            byte => {
                in_fields |= *byte == b' ';
                1
            }
        };
    }
    body.len()
}

//! The fields of a line: `name=value`, with commas between.

use memchr::memchr2;

use super::decode::{Noted, ends_line, escape_length};
use super::number;
use super::refusal::Refusal;
use crate::model::short_text::is_same;
use crate::model::{Points, RawIdentity, Span};

/// How many fields of a line are remembered, to be expected in the next; the names of later ones are scanned.
const NAMES_MAX: usize = 64;

const TRUE: [&[u8]; 5] = [b"t", b"T", b"true", b"True", b"TRUE"];
const FALSE: [&[u8]; 5] = [b"f", b"F", b"false", b"False", b"FALSE"];

/// Where the names of the last line are, in its order, which agents repeat: one comparison instead of a scan.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Span>);

/// Reads the fields that start at `at` and answers where they end.
#[inline(always)]
pub(super) fn read(
    body: &[u8],
    mut at: usize,
    mut identity: RawIdentity,
    names: &mut Names,
    (noted, points): (&mut Noted, &mut Points),
) -> Result<usize, Refusal> {
    for place in 0.. {
        let name_end = names.end(body, at, place)?;
        identity.metric_name = Span::new(at, name_end);
        let (value, end) = value(body, name_end + 1)?;
        match value {
            Value::Number(value) => {
                points.identities.push(identity);
                points.values.push(value);
            }
            Value::Text => noted.strings += 1,
            Value::Refused(refusal) => noted.refused.push(refusal),
        }
        if body.get(end) != Some(&b',') {
            return Ok(end);
        }
        at = end + 1;
    }
    Ok(at)
}

impl Names {
    /// Where the name of the field at `at` ends, which is the `place`th of its line.
    #[inline(always)]
    fn end(&mut self, body: &[u8], at: usize, place: usize) -> Result<usize, Refusal> {
        if let Some(expected) = self.0.get(place).map(|name| name.of(body)) {
            let end = at + expected.len();
            if body.get(end) == Some(&b'=') && is_same(&body[at..end], expected) {
                return Ok(end);
            }
        }
        let end = name_end(body, at)?;
        let name = Span::new(at, end);
        if let Some(known) = self.0.get_mut(place) {
            *known = name;
        } else if place == self.0.len() && place < NAMES_MAX {
            self.0.push(name);
        }
        Ok(end)
    }
}

#[inline(never)]
fn name_end(body: &[u8], start: usize) -> Result<usize, Refusal> {
    let mut at = start;
    loop {
        at += match body.get(at) {
            Some(b'=') if at == start => return Err(Refusal::MissingFieldName),
            Some(b'=') => return Ok(at),
            Some(b'\\') => escape_length(body, at),
            _ if at == start && ends_line(body, at) => return Err(Refusal::MissingFields),
            None | Some(b',' | b' ' | b'\n') => return Err(Refusal::MissingFieldValue { name: Span::new(start, at) }),
            Some(_) => 1,
        };
    }
}

enum Value {
    Number(f64),
    Text,
    Refused(Refusal),
}

/// Reads the value at `at` and answers where it ends, which is where a field may end.
#[inline(always)]
fn value(body: &[u8], at: usize) -> Result<(Value, usize), Refusal> {
    if let Some((number, end)) = number::short(body, at) {
        return Ok((Value::Number(number), end));
    }
    if let Some((read, end)) = number::read(body, at)
        && ends_field(body, end)
    {
        return Ok((read.map_or_else(Value::Refused, Value::Number), end));
    }
    other(body, at)
}

/// What is no number.
#[inline(never)]
fn other(body: &[u8], at: usize) -> Result<(Value, usize), Refusal> {
    if body.get(at) == Some(&b'"') {
        let end = text_end(body, at).ok_or(Refusal::OpenText { start: at as u32 })?;
        return if ends_field(body, end) { Ok((Value::Text, end)) } else { Err(bad(body, at, end)) };
    }
    let mut end = at;
    while !ends_field(body, end) {
        end += 1;
    }
    let word = &body[at..end];
    let value = if word.is_empty() {
        return Err(Refusal::MissingFieldValue { name: Span::new(at, at) });
    } else if TRUE.contains(&word) {
        Value::Number(1.0)
    } else if FALSE.contains(&word) {
        Value::Number(0.0)
    } else if number::is_not_finite(word) {
        Value::Refused(Refusal::NotFinite { word: Span::new(at, end) })
    } else {
        return Err(bad(body, at, end));
    };
    Ok((value, end))
}

fn bad(body: &[u8], at: usize, mut end: usize) -> Refusal {
    while !ends_field(body, end) {
        end += 1;
    }
    Refusal::BadValue { word: Span::new(at, end) }
}

#[inline(always)]
fn ends_field(body: &[u8], at: usize) -> bool {
    matches!(body.get(at), None | Some(b',' | b' ' | b'\n' | b'\t')) || ends_line(body, at)
}

/// Behind the quote that closes the text which opens at `open`.
pub(super) fn text_end(body: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr2(b'"', b'\\', body.get(at..)?)?;
        if body[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Passes over the blanks between the parts of a line.
#[inline(always)]
pub(super) fn skip_blanks(body: &[u8], mut at: usize) -> usize {
    while matches!(body.get(at), Some(b' ' | b'\t' | 0)) {
        at += 1;
    }
    at
}

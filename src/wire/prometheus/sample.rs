//! A value with its time, as both versions of remote write have it, and times in milliseconds.

use super::protobuf::{Malformed, Message, Value};
use super::refusal::Fault;
use super::refusal::Refusal;
use super::sink::Sink;
use crate::model::{Micros, Span};

const MICROS_PER_MILLI: i64 = 1_000;

/// How most samples look: the tag of a value, eight bytes, the tag of a time.
const VALUE_TAG: u8 = 0x09;
const TIME_TAG: u8 = 0x10;
const VALUE_END: usize = 9;

/// Adds the sample that `span` holds to the item of `sink`.
#[inline(always)]
pub(super) fn add(body: &[u8], span: Span, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let (value, millis) = read(body, span)?;
    match micros(millis) {
        Some(time) => sink.add(time, value)?,
        None => sink.refuse_one(Refusal::TimestampOutOfRange { millis }),
    }
    Ok(())
}

/// Why an item is not read to its end.
pub(super) enum Problem {
    /// The item is refused.
    Refused(Refusal),
    /// The whole body is.
    Fault(Fault),
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::Refused(malformed.into())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[inline(always)]
pub(super) fn micros(millis: i64) -> Option<Micros> {
    let time = Micros(millis.checked_mul(MICROS_PER_MILLI)?);
    (Micros::FIRST..=Micros::LAST).contains(&time).then_some(time)
}

#[inline(always)]
fn read(body: &[u8], span: Span) -> Result<(f64, i64), Malformed> {
    let bytes = span.of(body);
    if let Some((value, rest)) = bytes.split_first_chunk::<VALUE_END>()
        && let ([VALUE_TAG, bits @ ..], Some((&TIME_TAG, millis))) = (value, rest.split_first())
        && let Some(millis) = short_varint(millis)
    {
        return Ok((f64::from_le_bytes(*bits), millis));
    }
    read_any(body, span)
}

/// A number that ends where `bytes` end, with at most eight bytes, as all times near ours have.
#[inline(always)]
fn short_varint(bytes: &[u8]) -> Option<i64> {
    let (last, others) = bytes.split_last()?;
    if bytes.len() > 8 || *last >= 0x80 || others.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    let number = bytes.iter().rev().fold(0, |number: u64, byte| number << 7 | u64::from(byte & 0x7f));
    Some(number as i64)
}

#[inline(never)]
fn read_any(body: &[u8], span: Span) -> Result<(f64, i64), Malformed> {
    let mut message = Message::within(body, span);
    let (mut value, mut millis) = (0.0, 0);
    while let Some(field) = message.next()? {
        match (field.number, field.value) {
            (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
            (2, Value::Varint(number)) => millis = number as i64,
            _ => {}
        }
    }
    Ok((value, millis))
}

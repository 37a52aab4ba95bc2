//! Native histograms, read: both versions of remote write have the same message for them. What becomes of them is in
//! [`super::buckets`].

use super::BUCKETS_MAX;
use super::buckets;
use super::protobuf::{Malformed, Message, Value, zigzag};
use super::refusal::Refusal;
use super::sample::{Problem, micros};
use super::sink::Sink;
use crate::model::Span;

/// A histogram as it is sent.
#[derive(Debug, Default)]
pub(super) struct Native {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) schema: i64,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: f64,
    pub(super) negative: Side,
    pub(super) positive: Side,
    /// The upper bounds of a histogram that has its own.
    pub(super) bounds: Vec<f64>,
    millis: i64,
}

/// The buckets on one side of zero.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Runs of buckets: how many are left out before it, how many it has.
    spans: Vec<(i64, u64)>,
    /// Of a histogram of integers: each as the difference from the one before.
    deltas: Vec<i64>,
    /// Of a histogram of floats.
    counts: Vec<f64>,
}

/// Adds the samples that the histogram in `span` comes to.
#[cold]
pub(super) fn add(body: &[u8], span: Span, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let native = match read(body, span) {
        Ok(native) => native,
        Err(refusal) => {
            sink.refuse_one(refusal);
            return Ok(());
        }
    };
    match micros(native.millis) {
        Some(time) => buckets::add(&native, time, sink),
        None => {
            sink.refuse_one(Refusal::TimestampOutOfRange { millis: native.millis });
            Ok(())
        }
    }
}

fn read(body: &[u8], span: Span) -> Result<Native, Refusal> {
    let mut native = Native::default();
    let mut message = Message::within(body, span);
    while let Some(field) = message.next()? {
        match (field.number, field.value) {
            (1, Value::Varint(count)) => native.count = count as f64,
            (2, Value::Fixed64(bits)) => native.count = f64::from_bits(bits),
            (3, Value::Fixed64(bits)) => native.sum = f64::from_bits(bits),
            (4, Value::Varint(schema)) => native.schema = zigzag(schema),
            (5, Value::Fixed64(bits)) => native.zero_threshold = f64::from_bits(bits),
            (6, Value::Varint(count)) => native.zero_count = count as f64,
            (7, Value::Fixed64(bits)) => native.zero_count = f64::from_bits(bits),
            (8, Value::Bytes(run)) => native.negative.add_span(body, run)?,
            (9, value) => deltas(body, value, &mut native.negative.deltas)?,
            (10, value) => floats(body, value, &mut native.negative.counts)?,
            (11, Value::Bytes(run)) => native.positive.add_span(body, run)?,
            (12, value) => deltas(body, value, &mut native.positive.deltas)?,
            (13, value) => floats(body, value, &mut native.positive.counts)?,
            (15, Value::Varint(millis)) => native.millis = millis as i64,
            (16, value) => floats(body, value, &mut native.bounds)?,
            _ => {}
        }
    }
    Ok(native)
}

impl Side {
    fn add_span(&mut self, body: &[u8], span: Span) -> Result<(), Refusal> {
        let (mut offset, mut length) = (0, 0);
        let mut message = Message::within(body, span);
        while let Some(field) = message.next()? {
            match (field.number, field.value) {
                (1, Value::Varint(number)) => offset = zigzag(number),
                (2, Value::Varint(number)) => length = number,
                _ => {}
            }
        }
        push(&mut self.spans, (offset, length))
    }

    /// Each bucket's place and how many observations it holds, in the order of places.
    ///
    /// # Errors
    /// When the runs and the counts do not fit together.
    pub(super) fn buckets(&self) -> Result<Vec<(i64, f64)>, Refusal> {
        let refused = |reason| Refusal::Histogram { reason };
        let mut whole = 0_i64;
        let mut counts = Vec::with_capacity(self.deltas.len() + self.counts.len());
        for delta in &self.deltas {
            whole = whole.checked_add(*delta).filter(|count| *count >= 0).ok_or(refused("a bucket is negative"))?;
            counts.push(whole as f64);
        }
        counts.extend_from_slice(&self.counts);
        let (mut place, mut buckets, mut counts) = (0_i64, Vec::new(), counts.into_iter());
        for (offset, length) in &self.spans {
            place = place.checked_add(*offset).ok_or(refused("a bucket is out of range"))?;
            for _ in 0..*length {
                let count = counts.next().ok_or(refused("there are fewer buckets than its spans say"))?;
                push(&mut buckets, (place, count))?;
                place = place.checked_add(1).ok_or(refused("a bucket is out of range"))?;
            }
        }
        if counts.next().is_some() {
            return Err(refused("there are more buckets than its spans say"));
        }
        if buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(refused("its buckets are not in order"));
        }
        Ok(buckets)
    }
}

/// Signed numbers, in one run or one by one.
fn deltas(body: &[u8], value: Value, into: &mut Vec<i64>) -> Result<(), Refusal> {
    match value {
        Value::Varint(number) => push(into, zigzag(number))?,
        Value::Bytes(run) => {
            let mut run = Message::within(body, run);
            while let Some(number) = run.next_packed()? {
                push(into, zigzag(number))?;
            }
        }
        Value::Fixed64(_) | Value::Fixed32 => return Err(Malformed::NoField { at: 0 }.into()),
    }
    Ok(())
}

fn floats(body: &[u8], value: Value, into: &mut Vec<f64>) -> Result<(), Refusal> {
    match value {
        Value::Fixed64(bits) => push(into, f64::from_bits(bits))?,
        Value::Bytes(run) => {
            let mut run = Message::within(body, run);
            while let Some(number) = run.next_packed_float()? {
                push(into, number)?;
            }
        }
        Value::Varint(_) | Value::Fixed32 => return Err(Malformed::NoField { at: 0 }.into()),
    }
    Ok(())
}

fn push<T>(into: &mut Vec<T>, item: T) -> Result<(), Refusal> {
    if into.len() >= BUCKETS_MAX {
        return Err(Refusal::TooManyBuckets);
    }
    into.push(item);
    Ok(())
}

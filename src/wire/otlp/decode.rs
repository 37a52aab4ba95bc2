//! A request to its metrics, level by level: resources, scopes, metrics, data points.
//!
//! | kind | metric type | samples |
//! |---|---|---|
//! | gauge | `gauge` | the value |
//! | sum, cumulative | `counter` when it only grows, else `sum` | the value |
//! | sum, delta | `delta` | the value: what was added since the data point before |
//! | histogram | `histogram`, of deltas `delta_histogram` | `_bucket` with `le`, `_count`, `_sum`, `_min`, `_max` |
//! | summary | `summary` | the value with `quantile`, `_count`, `_sum` |
//!
//! Deltas stay deltas, under a type of their own: adding them up would need a memory of every series that is lost with the
//! process and different on each node. The sum over a window is what was added in it.

use super::emit::{Emitter, Metric};
use super::message::{Field, Fields, Malformed};
use super::origin::{Origin, Reading};
use super::refusal::Refusal;
use super::room::{Room, Unread};
use super::{buckets, numbers};
use crate::model::Intake;

/// Decodes a request in its protobuf form into points of `intake` over `text`, both of which the caller has cleared. Items
/// are the data points, in the order in which they stand there.
///
/// # Errors
/// When it is no OTLP request, or there is no room for what it holds. What was decoded till then is of no use.
pub fn decode(
    body: &[u8],
    reading: &Reading,
    (text, intake): (&mut Vec<u8>, &mut Intake),
    room: &mut Room<'_>,
) -> Result<(), Unread> {
    let mut emitter = Emitter::new(text, intake, room);
    for field in numbered(body, 1) {
        let resource = field?.bytes()?;
        let origin = Origin::of_resource(resource, reading)?;
        for field in numbered(resource, 2) {
            let scope = field?.bytes()?;
            let origin = origin.with_scope(scope, reading)?;
            for field in numbered(scope, 2) {
                metric(field?.bytes()?, &origin, &mut emitter)?;
            }
        }
    }
    Ok(())
}

/// The fields of that number. Broken ones are told whatever their number is.
pub(super) fn numbered(message: &[u8], number: u32) -> impl Iterator<Item = Result<Field<'_>, Malformed>> {
    Fields::of(message).filter(move |field| field.as_ref().map_or(true, |field| field.number == number))
}

/// How the points of a metric relate to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporality {
    Delta,
    Cumulative,
}

fn metric<'a>(message: &'a [u8], origin: &Origin<'a>, emitter: &mut Emitter<'_, 'a, '_>) -> Result<(), Unread> {
    let mut name = Ok("");
    for field in numbered(message, 1) {
        name = std::str::from_utf8(field?.bytes()?).map_err(|_| Refusal::NotUtf8 { what: "the metric's name" });
    }
    let (name, refusal) = match &name {
        Ok(name) => (*name, None),
        Err(refusal) => ("", Some(refusal)),
    };
    for field in Fields::of(message) {
        let field = field?;
        let of_kind = |kind| Metric { origin, name, kind, refusal };
        match field.number {
            5 => numbers::read(field.bytes()?, of_kind("gauge"), emitter)?,
            7 => sum(field.bytes()?, of_kind("sum"), emitter)?,
            9 | 10 => histogram(field, of_kind("histogram"), emitter)?,
            11 => buckets::summaries(field.bytes()?, of_kind("summary"), emitter)?,
            _ => {}
        }
    }
    Ok(())
}

fn sum<'a>(message: &'a [u8], metric: Metric<'_, 'a>, emitter: &mut Emitter<'_, 'a, '_>) -> Result<(), Unread> {
    let mut grows = false;
    for field in numbered(message, 3) {
        grows = field?.varint()? != 0;
    }
    let temporality = temporality(message)?;
    let kind = match (&temporality, grows) {
        (Ok(Temporality::Delta), _) => "delta",
        (_, true) => "counter",
        (_, false) => "sum",
    };
    numbers::read(message, Metric { kind, refusal: metric.refusal.or(temporality.as_ref().err()), ..metric }, emitter)
}

fn histogram<'a>(field: Field<'a>, metric: Metric<'_, 'a>, emitter: &mut Emitter<'_, 'a, '_>) -> Result<(), Unread> {
    let message = field.bytes()?;
    let temporality = temporality(message)?;
    let kind = if temporality == Ok(Temporality::Delta) { "delta_histogram" } else { metric.kind };
    let metric = Metric { kind, refusal: metric.refusal.or(temporality.as_ref().err()), ..metric };
    if field.number == 9 {
        buckets::explicit(message, metric, emitter)
    } else {
        buckets::exponential(message, metric, emitter)
    }
}

fn temporality(message: &[u8]) -> Result<Result<Temporality, Refusal>, Malformed> {
    let mut number = 0;
    for field in numbered(message, 2) {
        number = field?.varint()?;
    }
    Ok(match number {
        1 => Ok(Temporality::Delta),
        2 => Ok(Temporality::Cumulative),
        _ => Err(Refusal::Temporality),
    })
}

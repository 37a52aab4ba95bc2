//! Remote write 1.0: `prometheus.WriteRequest`, series with their labels spelt out.

use super::histogram;
use super::protobuf::{Message, Value};
use super::refusal::Fault;
use super::sample::{self, Problem};
use super::sink::{Room, Sink};
use crate::model::{Intake, Span};

/// The fields of a request and of a series.
pub(super) const SERIES: u64 = 1;
const LABEL: u64 = 1;
const SAMPLE: u64 = 2;
const EXEMPLAR: u64 = 3;
const HISTOGRAM: u64 = 4;

/// Decodes a body into `intake`, which the caller has cleared. Afterwards the spans of the points point into `body`,
/// which has grown by what it did not spell in one piece; `text` is a buffer for that.
///
/// # Errors
/// When the body is no message, or comes to more than `room`; what is in `intake` then is nothing.
pub fn decode(body: &mut Vec<u8>, text: &mut Vec<u8>, room: Room, intake: &mut Intake) -> Result<(), Fault> {
    text.clear();
    let mut sink = Sink::new(intake, (body.len(), text), room);
    let mut request = Message::within(body, Span::new(0, body.len()));
    let mut item = 0;
    while let Some(field) = request.next()? {
        if let (SERIES, Value::Bytes(series)) = (field.number, field.value) {
            sink.begin(item);
            item += 1;
            match read(body, series, &mut sink) {
                Ok(labels) => sink.complete(labels),
                Err(Problem::Refused(refusal)) => sink.refuse(refusal),
                Err(Problem::Fault(fault)) => return Err(fault),
            }
        }
    }
    body.append(text);
    Ok(())
}

/// Adds the samples of a series and answers where its labels are spelt.
#[inline(always)]
fn read(body: &[u8], series: Span, sink: &mut Sink<'_>) -> Result<Span, Problem> {
    let mut message = Message::within(body, series);
    let mut labels = Span { start: series.start, end: series.start };
    let (mut scattered, mut exemplars) = (false, 0);
    while let Some(field) = message.next()? {
        match (field.number, field.value) {
            (LABEL, Value::Bytes(label)) => {
                if labels.start == labels.end {
                    labels.start = field.start as u32;
                } else if labels.end != field.start as u32 {
                    scattered = true;
                }
                labels.end = label.end;
            }
            (SAMPLE, Value::Bytes(span)) => sample::add(body, span, sink)?,
            (EXEMPLAR, Value::Bytes(_)) => exemplars += 1,
            (HISTOGRAM, Value::Bytes(span)) => histogram::add(body, span, sink)?,
            _ => {}
        }
    }
    sink.leave_out(exemplars);
    if scattered { gathered(body, series, sink) } else { Ok(labels) }
}

/// Labels with something else between them, put together.
#[cold]
fn gathered(body: &[u8], series: Span, sink: &mut Sink<'_>) -> Result<Span, Problem> {
    let start = sink.spelling();
    let mut message = Message::within(body, series);
    while let Some(field) = message.next()? {
        if let (LABEL, Value::Bytes(label)) = (field.number, field.value) {
            sink.text().extend_from_slice(&body[field.start..label.end as usize]);
        }
    }
    Ok(sink.spelt(start)?)
}

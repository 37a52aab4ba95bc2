//! Remote write 2.0: `io.prometheus.write.v2.Request`, series with references to a table of symbols.

use super::KEY_BYTES_MAX;
use super::histogram;
use super::protobuf::{Malformed, Message, Value};
use super::refusal::{Fault, Refusal};
use super::sample::{self, Problem};
use super::sink::{Room, Sink};
use super::spelling;
use crate::model::{Intake, Span};

/// The fields of a request and of a series.
const SYMBOL: u64 = 4;
pub(super) const SERIES: u64 = 5;
const REFERENCES: u64 = 1;
const SAMPLE: u64 = 2;
const HISTOGRAM: u64 = 3;
const EXEMPLAR: u64 = 4;

/// Decodes a body into `intake`, which the caller has cleared. Afterwards `body` is the text that the spans of the
/// points point into, and `text` the body that was.
///
/// # Errors
/// When the body is no message, or comes to more than `room`; what is in `intake` then is nothing.
pub fn decode(body: &mut Vec<u8>, text: &mut Vec<u8>, room: Room, intake: &mut Intake) -> Result<(), Fault> {
    text.clear();
    let mut sink = Sink::new(intake, (0, text), room);
    // Fields may stand in any order, so the symbols are gathered first.
    let symbols = symbols(body, &mut sink)?;
    let mut request = Message::within(body, Span::new(0, body.len()));
    let mut references = References::default();
    let mut item = 0;
    while let Some(field) = request.next()? {
        if let (SERIES, Value::Bytes(series)) = (field.number, field.value) {
            sink.begin(item);
            item += 1;
            match read(body, series, (&symbols, &mut references), &mut sink) {
                Ok(labels) => sink.complete(labels),
                Err(Problem::Refused(refusal)) => sink.refuse(refusal),
                Err(Problem::Fault(fault)) => return Err(fault),
            }
        }
    }
    std::mem::swap(body, text);
    Ok(())
}

fn symbols(body: &[u8], sink: &mut Sink<'_>) -> Result<Vec<Span>, Fault> {
    let mut symbols = Vec::new();
    let mut request = Message::within(body, Span::new(0, body.len()));
    while let Some(field) = request.next()? {
        if let (SYMBOL, Value::Bytes(symbol)) = (field.number, field.value) {
            sink.reserve(size_of::<Span>())?;
            symbols.push(symbol);
        }
    }
    Ok(symbols)
}

/// Where the references of a series stand; in one run, unless an encoder had its own ideas.
#[derive(Default)]
struct References {
    single: Vec<u64>,
}

/// Adds the samples of a series and answers where its labels are spelt.
#[inline(always)]
fn read(
    body: &[u8],
    series: Span,
    (symbols, references): (&[Span], &mut References),
    sink: &mut Sink<'_>,
) -> Result<Span, Problem> {
    let mut message = Message::within(body, series);
    let (mut packed, mut exemplars) = (None, 0);
    references.single.clear();
    while let Some(field) = message.next()? {
        match (field.number, field.value) {
            (REFERENCES, Value::Bytes(run)) if packed.is_none() && references.single.is_empty() => packed = Some(run),
            (REFERENCES, Value::Bytes(run)) => references.add(body, (packed.take(), run))?,
            (REFERENCES, Value::Varint(reference)) => {
                references.add(body, (packed.take(), Span::default()))?;
                references.push(reference)?;
            }
            (SAMPLE, Value::Bytes(span)) => sample::add(body, span, sink)?,
            (HISTOGRAM, Value::Bytes(span)) => histogram::add(body, span, sink)?,
            (EXEMPLAR, Value::Bytes(_)) => exemplars += 1,
            _ => {}
        }
    }
    sink.leave_out(exemplars);
    let start = sink.spelling();
    match packed {
        Some(run) => {
            let mut run = Message::within(body, run);
            spell(body, symbols, sink.text(), || run.next_packed())?;
        }
        None => {
            let mut singles = references.single.iter().copied();
            spell(body, symbols, sink.text(), || Ok(singles.next()))?;
        }
    }
    Ok(sink.spelt(start)?)
}

/// Writes the labels that pairs of references stand for.
#[inline(always)]
fn spell(
    body: &[u8],
    symbols: &[Span],
    text: &mut Vec<u8>,
    mut next: impl FnMut() -> Result<Option<u64>, Malformed>,
) -> Result<(), Refusal> {
    let symbol = |reference: u64| {
        let found = usize::try_from(reference).ok().and_then(|place| symbols.get(place));
        found.map(|span| span.of(body)).ok_or(Refusal::NoSuchSymbol { reference, symbols: symbols.len() })
    };
    let start = text.len();
    let mut pairs = 0;
    while let Some(name) = next()? {
        let Some(value) = next()? else { return Err(Refusal::OddReferences { count: 2 * pairs + 1 }) };
        let (name, value) = (symbol(name)?, symbol(value)?);
        // Looked at before a symbol is copied: a series may name a huge one again and again.
        let bytes = text.len() - start + name.len() + value.len();
        if bytes > KEY_BYTES_MAX {
            return Err(Refusal::KeyTooLong { bytes });
        }
        spelling::push(text, name, value);
        pairs += 1;
    }
    Ok(())
}

impl References {
    #[cold]
    fn add(&mut self, body: &[u8], (earlier, run): (Option<Span>, Span)) -> Result<(), Refusal> {
        for run in earlier.into_iter().chain([run]) {
            let mut numbers = Message::within(body, run);
            while let Some(reference) = numbers.next_packed()? {
                self.push(reference)?;
            }
        }
        Ok(())
    }

    /// Each reference makes at least two bytes of spelling.
    fn push(&mut self, reference: u64) -> Result<(), Refusal> {
        if self.single.len() >= KEY_BYTES_MAX {
            return Err(Refusal::KeyTooLong { bytes: 2 * self.single.len() });
        }
        self.single.push(reference);
        Ok(())
    }
}

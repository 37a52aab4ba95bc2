//! The text that exporters show: `name{label="value"} 1.5 1700000000000`, a line a sample, comments between. What
//! `OpenMetrics` has on top is understood: times in seconds, exemplars (left out and counted), quoted names.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::grouping::Grouping;
use super::refusal::{Fault, Refusal};
use super::sample::Problem;
use super::sink::{Room, Sink};
use super::spelling;
use super::text_numbers::{time, value};
use super::{LINE_BYTES_MAX, text_labels};
use crate::model::{Intake, Micros};

/// The unit of times that are whole numbers; others are seconds always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextTimes {
    #[default]
    Millis,
    /// As in `OpenMetrics`.
    Seconds,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Exposition<'a> {
    pub times: TextTimes,
    /// The time of samples that have none.
    pub now: Micros,
    /// Labels that all samples get.
    pub grouping: &'a Grouping,
}

/// The labels of a line, the name among them.
pub(super) type Labels<'a> = Vec<(Cow<'a, [u8]>, Cow<'a, [u8]>)>;

pub(super) const NAME_LABEL: &[u8] = b"__name__";

impl Exposition<'_> {
    /// Decodes a body into `intake`, which the caller has cleared; items are lines, counted with comments. Afterwards
    /// `body` is the text that the spans of the points point into, and `text` the body that was.
    ///
    /// # Errors
    /// When the body comes to more than `room`; what is in `intake` then is nothing.
    pub fn decode(&self, body: &mut Vec<u8>, text: &mut Vec<u8>, room: Room, intake: &mut Intake) -> Result<(), Fault> {
        text.clear();
        let mut sink = Sink::new(intake, (0, text), room);
        let mut labels = Labels::new();
        for (number, line) in (0..).zip(lines(body)) {
            let line = line.trim_ascii();
            if matches!(line.first(), None | Some(b'#')) {
                continue;
            }
            sink.begin(number);
            match self.line(line, &mut labels, &mut sink) {
                Ok(()) => {}
                Err(Problem::Refused(refusal)) => sink.refuse(refusal),
                Err(Problem::Fault(fault)) => return Err(fault),
            }
        }
        drop(labels);
        std::mem::swap(body, text);
        Ok(())
    }

    fn line<'a>(&self, line: &'a [u8], labels: &mut Labels<'a>, sink: &mut Sink<'_>) -> Result<(), Problem> {
        if line.len() > LINE_BYTES_MAX {
            return Err(Refusal::LineTooLong { bytes: line.len() }.into());
        }
        labels.clear();
        let rest = text_labels::read(line, labels)?;
        let (word, rest) = word(rest);
        if word.is_empty() {
            return Err(Refusal::NoValue.into());
        }
        let value = value(word)?;
        let (stamp, behind) = match word_before_mark(rest) {
            (b"", behind) => (self.now, behind),
            (stamp, behind) => (time(stamp, self.times)?, behind),
        };
        match behind.first() {
            None => {}
            Some(b'#') => sink.leave_out(1),
            Some(_) => return Err(Refusal::Behind { text: behind.to_vec() }.into()),
        }
        self.group(labels);
        labels.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let start = sink.spelling();
        for (name, value) in labels.iter() {
            spelling::push(sink.text(), name, value);
        }
        let spelt = sink.spelt(start)?;
        sink.add(stamp, value)?;
        sink.complete(spelt);
        Ok(())
    }

    /// Labels of the path take the place of those of the line. Nobody but us holds on to them for longer, so they are
    /// copied where there are any.
    fn group(&self, labels: &mut Labels<'_>) {
        for (name, value) in self.grouping.labels() {
            labels.retain(|(known, _)| **known != *name);
            labels.push((Cow::Owned(name.to_vec()), Cow::Owned(value.to_vec())));
        }
    }
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// The next word and what follows it, the blanks between left out.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = memchr2(b' ', b'\t', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// The same, unless a mark comes first.
fn word_before_mark(text: &[u8]) -> (&[u8], &[u8]) {
    if text.first() == Some(&b'#') { (b"", text) } else { word(text) }
}

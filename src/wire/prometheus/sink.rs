//! Where decoded samples go: the columns of an intake, and a text for spellings that no body holds.
//!
//! A series is one item. Its samples are added first, without their names; [`Sink::complete`] gives them the spelling
//! once it is known, [`Sink::refuse`] takes them back.

use super::KEY_BYTES_MAX;
use super::refusal::{Fault, Refusal};
use crate::model::{Intake, Micros, RawIdentity, Span};

/// What may be added; beyond it decoding stops with [`Fault::NoRoom`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub points: usize,
    /// Bytes of spellings that are put together, tables of symbols included.
    pub text_bytes: usize,
}

/// What stands in place of the metric name for the parts of a histogram.
pub(super) const COUNT: &[u8] = b"_count";
pub(super) const SUM: &[u8] = b"_sum";
/// Followed by the upper bound of the bucket.
pub(super) const BUCKET: &[u8] = b"_bucket=";

/// Whether a point is a part of a native histogram.
pub fn is_of_histogram(raw: RawIdentity) -> bool {
    raw.metric_name.start != raw.metric_name.end
}

/// Whether a point is the last part of a native histogram, which is its sum.
pub fn ends_histogram(text: &[u8], raw: RawIdentity) -> bool {
    raw.metric_name.of(text) == SUM
}

pub(super) struct Sink<'a> {
    pub(super) intake: &'a mut Intake,
    /// What is put together here begins at this place of the text that spans point into.
    base: usize,
    text: &'a mut Vec<u8>,
    room: Room,
    item: u32,
    /// Where the points and the text of this item begin.
    first: usize,
    text_first: usize,
}

impl<'a> Sink<'a> {
    pub(super) fn new(intake: &'a mut Intake, (base, text): (usize, &'a mut Vec<u8>), room: Room) -> Self {
        Self { intake, base, text, room, item: 0, first: 0, text_first: 0 }
    }

    /// Begins the item at this 0-based position.
    #[inline(always)]
    pub(super) fn begin(&mut self, item: u32) {
        self.intake.items += 1;
        self.item = item;
        self.first = self.intake.points.values.len();
        self.text_first = self.text.len();
    }

    #[inline(always)]
    pub(super) fn add(&mut self, time: Micros, value: f64) -> Result<(), Fault> {
        self.add_named(Span::default(), time, value)
    }

    /// Adds a sample of a part of the series, from [`Sink::part`].
    #[inline(always)]
    pub(super) fn add_named(&mut self, metric_name: Span, time: Micros, value: f64) -> Result<(), Fault> {
        let points = &mut self.intake.points;
        if points.values.len() >= self.room.points {
            return Err(Fault::NoRoom);
        }
        points.identities.push(RawIdentity { metric_name, ..RawIdentity::default() });
        points.times.push(time);
        points.values.push(value);
        Ok(())
    }

    /// Writes down which part of a histogram the next samples are of.
    pub(super) fn part(&mut self, kind: &[u8], bound: &[u8]) -> Result<Span, Fault> {
        let start = self.spelling();
        self.text.extend_from_slice(kind);
        self.text.extend_from_slice(bound);
        self.spelt(start)
    }

    /// Begins a spelling in the text.
    pub(super) fn spelling(&mut self) -> usize {
        self.text.len()
    }

    #[inline(always)]
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        self.text
    }

    /// What was written to the text since `start`.
    #[inline(always)]
    pub(super) fn spelt(&self, start: usize) -> Result<Span, Fault> {
        if self.text.len() > self.room.text_bytes {
            return Err(Fault::NoRoom);
        }
        Ok(Span::new(self.base + start, self.base + self.text.len()))
    }

    /// Takes something that is kept beside the text out of its room.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), Fault> {
        self.room.text_bytes = self.room.text_bytes.checked_sub(bytes).ok_or(Fault::NoRoom)?;
        Ok(())
    }

    /// Gives the samples of this item the spelling of their labels.
    #[inline(always)]
    pub(super) fn complete(&mut self, labels: Span) {
        if (labels.end - labels.start) as usize > KEY_BYTES_MAX {
            return self.refuse(Refusal::KeyTooLong { bytes: (labels.end - labels.start) as usize });
        }
        let points = &mut self.intake.points;
        let length = points.values.len();
        let metric_type = Span { start: labels.start, end: labels.start };
        for raw in &mut points.identities[self.first..] {
            (raw.metric_type, raw.labels) = (metric_type, labels);
        }
        points.items.resize(length, self.item);
        points.servers.resize(length, 0);
    }

    /// Takes the whole item back.
    #[cold]
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        let points = &mut self.intake.points;
        points.identities.truncate(self.first);
        points.times.truncate(self.first);
        points.values.truncate(self.first);
        self.text.truncate(self.text_first);
        self.refuse_one(refusal);
    }

    /// Refuses a part of the item; the rest of it stays.
    #[cold]
    pub(super) fn refuse_one(&mut self, refusal: Refusal) {
        self.intake.verdicts.refuse(self.item, refusal.code(), || refusal.to_string());
    }

    /// Counts values that no series can hold.
    pub(super) fn leave_out(&mut self, values: u32) {
        if values > 0 {
            self.intake.left_out.add(self.item, values);
        }
    }
}

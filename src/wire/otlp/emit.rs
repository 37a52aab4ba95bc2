//! Data points to points: what all kinds share. Every sample of a data point has a head of its own, because some of its
//! labels may be its own.

use std::borrow::Cow;

use super::attributes;
use super::message::{Field, Malformed};
use super::origin::{Labels, Origin};
use super::refusal::Refusal;
use super::room::{Room, Unread};
use crate::model::series::NAME_BYTES_MAX;
use crate::model::{IdentityError, Intake, Micros, Points};
use crate::wire::composed;
use crate::wire::decimal::EXACT_INTEGER_MAX;
use crate::wire::json::write::write_json_number;

/// Nanoseconds in a microsecond; what is finer is cut off.
const NANOS_PER_MICRO: u64 = 1_000;
/// The flag of a data point that stands for no value.
const NO_RECORDED_VALUE: u64 = 1;

/// One metric, as its data points see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric<'m, 'a> {
    pub(super) origin: &'m Origin<'a>,
    pub(super) name: &'m str,
    pub(super) kind: &'static str,
    /// Why none of them can be stored.
    pub(super) refusal: Option<&'m Refusal>,
}

/// One number of a data point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// What is added to the name of the metric.
    pub(super) suffix: &'static str,
    /// A label that tells it from its neighbours.
    pub(super) label: Option<(&'static str, f64)>,
    pub(super) value: f64,
}

/// A data point while it is read.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    pub(super) time_nanos: u64,
    pub(super) flags: u64,
    labels: Labels<'a>,
    pub(super) samples: Vec<Sample>,
    /// Values that no sample can hold and nobody takes for an error.
    pub(super) left_out: u32,
    refusal: Option<Refusal>,
}

impl<'a> Point<'a> {
    fn clear(&mut self) {
        (self.time_nanos, self.flags, self.left_out) = (0, 0, 0);
        self.labels.clear();
        self.samples.clear();
        self.refusal = None;
    }

    pub(super) fn attribute(&mut self, field: Field<'a>) -> Result<(), Malformed> {
        match attributes::read(field.bytes()?)? {
            Ok((name, value)) => self.labels.add(Cow::Borrowed(name), value),
            Err(refusal) => self.refuse(refusal),
        }
        Ok(())
    }

    /// The first reason counts.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    pub(super) fn sample(&mut self, suffix: &'static str, value: f64) {
        if !value.is_finite() {
            let what = if suffix.is_empty() { "value" } else { suffix };
            return self.refuse(Refusal::NotFinite { what, value });
        }
        self.samples.push(Sample { suffix, label: None, value });
    }

    pub(super) fn quantile(&mut self, quantile: f64, value: f64) {
        if !value.is_finite() {
            return self.refuse(Refusal::NotFinite { what: "value of a quantile", value });
        }
        self.samples.push(Sample { suffix: "", label: Some(("quantile", quantile)), value });
    }

    pub(super) fn count(&mut self, suffix: &'static str, label: Option<(&'static str, f64)>, count: u64) {
        match exact(i128::from(count)) {
            Ok(value) => self.samples.push(Sample { suffix, label, value }),
            Err(refusal) => self.refuse(refusal),
        }
    }
}

/// A 64-bit float holds integers up to 2^53 only; one beyond would come back as another number.
pub(super) fn exact(integer: i128) -> Result<f64, Refusal> {
    if integer.unsigned_abs() > u128::from(EXACT_INTEGER_MAX) {
        return Err(Refusal::Inexact(integer));
    }
    Ok(integer as f64)
}

/// What a request is decoded to.
pub(super) struct Emitter<'e, 'a, 'r> {
    pub(super) text: &'e mut Vec<u8>,
    pub(super) intake: &'e mut Intake,
    pub(super) room: &'e mut Room<'r>,
    pub(super) point: Point<'a>,
    labels: Vec<u8>,
    own_label: Vec<u8>,
}

impl<'e, 'a, 'r> Emitter<'e, 'a, 'r> {
    pub(super) fn new(text: &'e mut Vec<u8>, intake: &'e mut Intake, room: &'e mut Room<'r>) -> Self {
        Self { text, intake, room, point: Point::default(), labels: Vec::new(), own_label: Vec::new() }
    }

    pub(super) fn begin(&mut self) -> &mut Point<'a> {
        self.point.clear();
        &mut self.point
    }

    /// Stores, refuses or leaves out the data point that was read.
    pub(super) fn end(&mut self, metric: Metric<'_, 'a>) -> Result<(), Unread> {
        let item = self.intake.items;
        self.intake.items += 1;
        if self.point.flags & NO_RECORDED_VALUE != 0 {
            self.intake.left_out.add(item, 1);
            return Ok(());
        }
        if let Err(refusal) = self.check(metric) {
            let name = metric.name;
            self.intake.verdicts.refuse(item, refusal.code(), || format!("{}: {refusal}", shown(name)));
            return Ok(());
        }
        self.intake.left_out.add(item, self.point.left_out);
        let time = Micros((self.point.time_nanos / NANOS_PER_MICRO).cast_signed());
        let widest = metric.origin.host.len() + metric.name.len() + self.labels.len() + SAMPLE_BYTES;
        for sample in &self.point.samples {
            self.room.need(self.text.len() + widest + self.intake.points.len() * Points::POINT_BYTES)?;
            self.own_label.clear();
            if let Some((name, number)) = sample.label {
                write_label(&mut self.own_label, name, number);
            }
            let (host, name) = (&metric.origin.host, [metric.name, sample.suffix]);
            let raw = composed::single(self.text, host, metric.kind, name, &[&self.labels, &self.own_label]);
            self.intake.points.push(item, 0, raw, time, sample.value);
        }
        Ok(())
    }

    /// Whether the data point can be stored; writes the labels that all of its samples have.
    fn check(&mut self, metric: Metric<'_, '_>) -> Result<(), Refusal> {
        let reasons = [metric.refusal, metric.origin.refusal.as_ref(), self.point.refusal.as_ref()];
        if let Some(refusal) = reasons.into_iter().flatten().next() {
            return Err(refusal.clone());
        }
        let bytes = metric.name.len();
        if !(1..=NAME_BYTES_MAX).contains(&bytes) {
            let what = "metric_name";
            let too_long = IdentityError::TooLong { what, bytes, bytes_max: NAME_BYTES_MAX };
            return Err(Refusal::Identity(if bytes == 0 { IdentityError::Empty { what } } else { too_long }));
        }
        if self.point.time_nanos == 0 {
            return Err(Refusal::NoTime);
        }
        self.labels.clear();
        metric.origin.labels.write(&mut self.labels, Some(&self.point.labels))?;
        self.point.labels.write(&mut self.labels, None)
    }
}

/// What a sample takes beside host, name and common labels, generously.
const SAMPLE_BYTES: usize = 256;
/// How much of a name is repeated to the client.
const SHOWN_CHARACTERS_MAX: usize = 64;

fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

fn write_label(out: &mut Vec<u8>, name: &str, number: f64) {
    if number == f64::INFINITY {
        return composed::label(out, name, "+Inf");
    }
    let mut digits = Vec::new();
    write_json_number(&mut digits, number);
    composed::label(out, name, std::str::from_utf8(&digits).unwrap_or_default());
}

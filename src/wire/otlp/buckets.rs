//! Data points of many numbers: histograms and summaries.
//!
//! Counts of buckets are added up from the lowest bound, so `_bucket{le="x"}` is how many values were `x` or less.
//!
//! The bounds of an exponential histogram move with its data; those of every scale are powers of two or lie between two
//! of them. So its buckets are put together to whole powers of two, which are exact, the same for every point of a
//! series, and few: `le` is 2^k, for negative values -2^k, and the zero threshold for the bucket around zero. What lies
//! exactly on a negative bound counts above it.

use super::BUCKETS_MAX;
use super::decode::numbered;
use super::emit::{Emitter, Metric, Point};
use super::message::{Field, Fields, Malformed, from_zigzag};
use super::refusal::Refusal;
use super::room::Unread;

const BUCKET: &str = "_bucket";
const LE: &str = "le";
/// The powers of two that a 64-bit float can hold, and the one behind them, whose bucket has no bound.
const EXPONENT_MIN: i64 = -1_074;
const EXPONENT_MAX: i64 = 1_023;

/// What both sorts of histograms have.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    count: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
}

impl Totals {
    fn write(self, point: &mut Point<'_>) {
        point.count("_count", None, self.count);
        for (suffix, value) in [("_sum", self.sum), ("_min", self.min), ("_max", self.max)] {
            value.into_iter().for_each(|value| point.sample(suffix, value));
        }
    }
}

/// Counts while they are added up.
#[derive(Debug, Default)]
struct Running(u64);

impl Running {
    fn add(&mut self, point: &mut Point<'_>, count: u64) {
        match self.0.checked_add(count) {
            Some(sum) => self.0 = sum,
            None => point.refuse(Refusal::Inexact(i128::from(self.0) + i128::from(count))),
        }
    }

    fn write(&self, point: &mut Point<'_>, bound: f64) {
        if point.samples.len() >= BUCKETS_MAX {
            return point.refuse(Refusal::TooManyBuckets);
        }
        point.count(BUCKET, Some((LE, bound)), self.0);
    }
}

pub(super) fn explicit<'a>(
    message: &'a [u8],
    metric: Metric<'_, 'a>,
    emitter: &mut Emitter<'_, 'a, '_>,
) -> Result<(), Unread> {
    let (mut counts, mut bounds): (Vec<u64>, Vec<f64>) = (Vec::new(), Vec::new());
    for field in numbered(message, 1) {
        counts.clear();
        bounds.clear();
        let (point, mut totals) = (emitter.begin(), Totals::default());
        for field in Fields::of(field?.bytes()?) {
            let field = field?;
            match field.number {
                3 => point.time_nanos = field.fixed64()?,
                4 => totals.count = field.fixed64()?,
                5 => totals.sum = Some(field.double()?),
                6 => gather(field, &mut counts, |bits| bits)?,
                7 => gather(field, &mut bounds, f64::from_bits)?,
                9 => point.attribute(field)?,
                10 => point.flags = field.varint()?,
                11 => totals.min = Some(field.double()?),
                12 => totals.max = Some(field.double()?),
                _ => {}
            }
        }
        explicit_buckets(point, &counts, &bounds, totals.count);
        totals.write(point);
        emitter.end(metric)?;
    }
    Ok(())
}

/// One more than there may be is enough to tell that there are too many.
fn gather<T>(field: Field<'_>, all: &mut Vec<T>, of: impl Fn(u64) -> T) -> Result<(), Malformed> {
    field.each_fixed64(|bits| {
        if all.len() <= BUCKETS_MAX {
            all.push(of(bits));
        }
    })
}

fn explicit_buckets(point: &mut Point<'_>, counts: &[u64], bounds: &[f64], total: u64) {
    if counts.is_empty() && bounds.is_empty() {
        return;
    }
    if counts.len() > BUCKETS_MAX {
        return point.refuse(Refusal::TooManyBuckets);
    }
    if counts.len() != bounds.len() + 1 {
        return point.refuse(Refusal::BucketCounts { counts: counts.len(), bounds: bounds.len() });
    }
    let increase = bounds.is_sorted_by(|left, right| left < right);
    if !increase || bounds.iter().any(|bound| !bound.is_finite()) {
        return point.refuse(Refusal::Bounds);
    }
    let mut running = Running::default();
    for (count, bound) in counts.iter().zip(bounds) {
        running.add(point, *count);
        running.write(point, *bound);
    }
    Running(total).write(point, f64::INFINITY);
}

/// One side of an exponential histogram, as it is sent.
#[derive(Clone, Copy, Debug, Default)]
struct Side<'a>(&'a [u8]);

/// A side, put together to powers of two: how many values lie up to 2^exponent and above the one before.
type Powers = Vec<(i64, u64)>;

impl Side<'_> {
    fn powers(self, scale: i64, point: &mut Point<'_>) -> Result<Powers, Malformed> {
        let (mut offset, mut powers) = (0, Powers::new());
        for field in numbered(self.0, 1) {
            offset = from_zigzag(field?.varint()?);
        }
        let mut index = offset;
        for field in numbered(self.0, 2) {
            field?.each_varint(|count| {
                let exponent = upper_exponent(index, scale);
                index = index.saturating_add(1);
                let is_full = powers.len() > BUCKETS_MAX;
                match powers.last_mut() {
                    Some((last, sum)) if *last == exponent => *sum = u64::saturating_add(*sum, count),
                    // Empty buckets at the beginning say nothing.
                    None if count == 0 => {}
                    _ if is_full => {}
                    _ => powers.push((exponent, count)),
                }
            })?;
        }
        // Neither do those at the end, which may lie where no float does.
        while powers.last().is_some_and(|(_, count)| *count == 0) {
            powers.pop();
        }
        let in_range = |(exponent, _): &(i64, u64)| (EXPONENT_MIN..=EXPONENT_MAX + 1).contains(exponent);
        if powers.len() > BUCKETS_MAX {
            point.refuse(Refusal::TooManyBuckets);
        } else if !powers.iter().all(in_range) {
            point.refuse(Refusal::BucketRange);
        }
        Ok(powers)
    }
}

/// The power of two at or above the upper bound of a bucket, which is 2^((index + 1) / 2^scale).
fn upper_exponent(index: i64, scale: i64) -> i64 {
    let next = index.saturating_add(1);
    match scale {
        ..-62 => {
            if next > 0 {
                i64::MAX
            } else {
                EXPONENT_MIN
            }
        }
        -62..0 => next.saturating_mul(1 << -scale),
        0..=62 => (next - 1).div_euclid(1 << scale) + 1,
        _ => {
            if next > 0 {
                1
            } else {
                0
            }
        }
    }
}

pub(super) fn exponential<'a>(
    message: &'a [u8],
    metric: Metric<'_, 'a>,
    emitter: &mut Emitter<'_, 'a, '_>,
) -> Result<(), Unread> {
    for field in numbered(message, 1) {
        let (point, mut totals) = (emitter.begin(), Totals::default());
        let (mut scale, mut zeros, mut threshold) = (0, 0, 0.0);
        let (mut positive, mut negative) = (Side::default(), Side::default());
        for field in Fields::of(field?.bytes()?) {
            let field = field?;
            match field.number {
                1 => point.attribute(field)?,
                3 => point.time_nanos = field.fixed64()?,
                4 => totals.count = field.fixed64()?,
                5 => totals.sum = Some(field.double()?),
                6 => scale = from_zigzag(field.varint()?),
                7 => zeros = field.fixed64()?,
                8 => positive = Side(field.bytes()?),
                9 => negative = Side(field.bytes()?),
                10 => point.flags = field.varint()?,
                12 => totals.min = Some(field.double()?),
                13 => totals.max = Some(field.double()?),
                14 => threshold = field.double()?,
                _ => {}
            }
        }
        let (positive, negative) = (positive.powers(scale, point)?, negative.powers(scale, point)?);
        let width = if scale < 0 { 1 << scale.unsigned_abs().min(62) } else { 1 };
        let negative: Powers =
            negative.into_iter().map(|(upper, count)| (upper.saturating_sub(width), count)).collect();
        exponential_buckets(point, (&negative, &positive), (zeros, threshold));
        Running(totals.count).write(point, f64::INFINITY);
        totals.write(point);
        emitter.end(metric)?;
    }
    Ok(())
}

/// Positive buckets come with the exponent of their upper bound, negative ones with that of the bound nearer to zero.
fn exponential_buckets(
    point: &mut Point<'_>,
    (negative, positive): (&Powers, &Powers),
    (zeros, threshold): (u64, f64),
) {
    if !threshold.is_finite() || threshold < 0.0 {
        return point.refuse(Refusal::NotFinite { what: "zero threshold", value: threshold });
    }
    let mut running = Running::default();
    // The lower a bucket of negative values, the further from zero it is.
    for (exponent, count) in negative.iter().rev() {
        running.add(point, *count);
        running.write(point, -power_of_two(*exponent));
    }
    running.add(point, zeros);
    running.write(point, threshold);
    for (exponent, count) in positive {
        running.add(point, *count);
        if *exponent <= EXPONENT_MAX {
            running.write(point, power_of_two(*exponent));
        }
    }
}

fn power_of_two(exponent: i64) -> f64 {
    // Exact, for subnormal results as well: `powi` is not.
    let exponent = exponent.clamp(EXPONENT_MIN - 1, EXPONENT_MAX);
    match exponent {
        -1_022.. => f64::from_bits(((exponent + 1_023) as u64) << 52),
        EXPONENT_MIN..-1_022 => f64::from_bits(1 << (exponent - EXPONENT_MIN)),
        _ => 0.0,
    }
}

pub(super) fn summaries<'a>(
    message: &'a [u8],
    metric: Metric<'_, 'a>,
    emitter: &mut Emitter<'_, 'a, '_>,
) -> Result<(), Unread> {
    for field in numbered(message, 1) {
        let (point, mut totals) = (emitter.begin(), Totals { sum: Some(0.0), ..Totals::default() });
        for field in Fields::of(field?.bytes()?) {
            let field = field?;
            match field.number {
                3 => point.time_nanos = field.fixed64()?,
                4 => totals.count = field.fixed64()?,
                5 => totals.sum = Some(field.double()?),
                6 => quantile(field.bytes()?, point)?,
                7 => point.attribute(field)?,
                8 => point.flags = field.varint()?,
                _ => {}
            }
        }
        totals.write(point);
        emitter.end(metric)?;
    }
    Ok(())
}

/// A quantile of nothing is not a number, which is left out.
fn quantile(message: &[u8], point: &mut Point<'_>) -> Result<(), Malformed> {
    let (mut quantile, mut value) = (0.0, 0.0);
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => quantile = field.double()?,
            2 => value = field.double()?,
            _ => {}
        }
    }
    if !(0.0..=1.0).contains(&quantile) {
        point.refuse(Refusal::NotFinite { what: "quantile", value: quantile });
    } else if value.is_nan() {
        point.left_out += 1;
    } else if point.samples.len() >= BUCKETS_MAX {
        point.refuse(Refusal::TooManyBuckets);
    } else {
        point.quantile(quantile, value);
    }
    Ok(())
}

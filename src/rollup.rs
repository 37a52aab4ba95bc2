//! Samples to buckets: what every rollup is a function of, and the only place that says how. Pure.
//!
//! A bucket depends on the set of its samples alone, however they arrived and were stored in between.

use crate::codec::decimal;
use crate::model::{Bucket, Micros, Resolution};

/// Integers up to here are exact floats.
const EXACT_MAX: i128 = 1 << 53;

/// Rolls samples of one series up, given in ascending order of time and, call by call, whole buckets of them. Appends to
/// `buckets`, in order of time.
pub fn roll_up(times: &[Micros], values: &[f64], resolution: Resolution, buckets: &mut Vec<Bucket>) {
    let start_of = |time: Micros| start(time, resolution.micros());
    let mut from = 0;
    while from < times.len() {
        let bucket_start = start_of(times[from]);
        let samples = times[from..].iter().take_while(|time| start_of(**time) == bucket_start).count();
        buckets.extend(bucket(bucket_start, &values[from..from + samples]));
        from += samples;
    }
}

/// The beginning of the stretch of `micros` that `time` is in, counted from the epoch.
pub fn start(time: Micros, micros: i64) -> Micros {
    Micros(time.0.saturating_sub(time.0.rem_euclid(micros)))
}

/// `None` when no value counts.
pub fn bucket(start: Micros, values: &[f64]) -> Option<Bucket> {
    let mut values: std::borrow::Cow<'_, [f64]> = values.into();
    if values.iter().any(|value| value.is_nan()) {
        values.to_mut().retain(|value| !value.is_nan());
    }
    let (&first, &last) = (values.first()?, values.last()?);
    let (sum, increase) = exactly(&values).unwrap_or_else(|| plainly(&values));
    Some(Bucket {
        start,
        count: values.len() as u64,
        sum,
        min: values.iter().copied().min_by(f64::total_cmp)?,
        max: values.iter().copied().max_by(f64::total_cmp)?,
        first,
        last,
        increase,
    })
}

/// Adds what came late to a bucket whose samples are gone. Which samples were first and last is not known any more, so
/// those of `kept` stay.
pub fn merge(kept: &Bucket, late: &Bucket) -> Bucket {
    Bucket {
        start: kept.start,
        count: kept.count + late.count,
        sum: kept.sum + late.sum,
        min: if late.min.total_cmp(&kept.min).is_lt() { late.min } else { kept.min },
        max: if late.max.total_cmp(&kept.max).is_gt() { late.max } else { kept.max },
        first: kept.first,
        last: kept.last,
        increase: kept.increase + late.increase,
    }
}

/// Many small buckets of one series, in order of time, as one larger one that begins at `start`. `None` when there are
/// none. What the series grew from bucket to bucket counts into the increase.
pub fn combine(start: Micros, buckets: &[Bucket]) -> Option<Bucket> {
    let (first, last) = (buckets.first()?, buckets.last()?);
    let mut all = Bucket { start, last: last.last, ..*first };
    for pair in buckets.windows(2) {
        let (before, bucket) = (&pair[0], &pair[1]);
        let merged = merge(&all, bucket);
        all = Bucket { last: last.last, increase: merged.increase + grown(before.last, bucket.first), ..merged };
    }
    Some(all)
}

/// Whether two buckets are the same to the bit: -0.0 is not 0.0, and a number that is none is itself.
pub fn is_same(left: &Bucket, right: &Bucket) -> bool {
    let bits = |bucket: &Bucket| {
        let Bucket { start, count, sum, min, max, first, last, increase } = *bucket;
        (start, count, [sum, min, max, first, last, increase].map(f64::to_bits))
    };
    bits(left) == bits(right)
}

/// How much a counter grew between two neighbouring values.
pub fn grown(before: f64, after: f64) -> f64 {
    if after < before { after } else { after - before }
}

/// Sum and increase of short decimals, in integers, rounded once.
fn exactly(values: &[f64]) -> Option<(f64, f64)> {
    let mut integers = vec![0; values.len()];
    let scale = decimal::to_integers(values, &mut integers)?;
    let sum: i128 = integers.iter().copied().map(i128::from).sum();
    let growth = |pair: &[i64]| i128::from(if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] });
    let increase: i128 = integers.windows(2).map(growth).sum();
    Some((rounded(sum, scale)?, rounded(increase, scale)?))
}

fn rounded(integer: i128, scale: u8) -> Option<f64> {
    if integer.abs() > EXACT_MAX { None } else { decimal::to_float(integer as i64, scale) }
}

/// The same in order of time, rounded at each step.
fn plainly(values: &[f64]) -> (f64, f64) {
    let increase = values.windows(2).map(|pair| grown(pair[0], pair[1]));
    (values.iter().fold(0.0, |sum, value| sum + value), increase.fold(0.0, |sum, grown| sum + grown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Bucket {
        bucket(Micros(0), values).unwrap()
    }

    #[test]
    fn a_sum_of_short_decimals_is_the_decimal_sum() {
        assert_eq!(of(&[0.1, 0.2]).sum, 0.3, "0.1 + 0.2 is another float");
        assert_eq!(of(&[1.0 / 3.0, 0.2]).sum, 1.0 / 3.0 + 0.2);
    }

    #[test]
    fn a_counter_that_begins_anew_grows_by_what_it_has_reached_since() {
        assert_eq!(of(&[10.0, 15.0, 2.0, 6.0]).increase, 5.0 + 2.0 + 4.0);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let bucket = of(&[f64::NAN, 2.0, f64::NAN, 3.0]);
        assert_eq!((bucket.count, bucket.first, bucket.last, bucket.sum), (2, 2.0, 3.0, 5.0));
        assert_eq!(super::bucket(Micros(0), &[f64::NAN]), None);
    }

    #[test]
    fn samples_fall_into_the_minutes_they_are_in() {
        let times = [Micros(-1), Micros(0), Micros(59_999_999), Micros(60_000_000)];
        let mut buckets = Vec::new();
        roll_up(&times, &[1.0, 2.0, 3.0, 4.0], Resolution::Minute, &mut buckets);
        let seen: Vec<_> = buckets.iter().map(|bucket| (bucket.start.0, bucket.count)).collect();
        assert_eq!(seen, [(-60_000_000, 1), (0, 2), (60_000_000, 1)]);
    }

    #[test]
    fn combined_minutes_are_the_hour_they_make() {
        let values = [10.0, 15.0, 2.0, 6.0];
        let minutes: Vec<Bucket> = values.chunks(2).map(of).collect();
        assert_eq!(combine(Micros(0), &minutes), Some(of(&values)));
    }
}

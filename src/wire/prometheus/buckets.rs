//! Native histograms become classic ones: `_count`, `_sum` and cumulative `_bucket{le}`, one sample each.
//!
//! A histogram with bounds of its own is exactly that. One with exponential buckets gets a bucket for each that it has,
//! one for zero and one for everything; buckets that it does not send have no observations of their own.

use super::histogram::Native;
use super::refusal::Refusal;
use super::sample::Problem;
use super::sink::{BUCKET, COUNT, SUM, Sink};
use crate::model::Micros;

/// The schema of histograms with bounds of their own.
const CUSTOM_SCHEMA: i64 = -53;
/// Finer and coarser ones do not exist.
const SCHEMA_MIN: i64 = -4;
const SCHEMA_MAX: i64 = 8;
/// By which the last sample of a series that is gone is known.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;
const EVERYTHING: &[u8] = b"+Inf";

/// Adds the samples of `native` to the item of `sink`, or refuses it.
pub(super) fn add(native: &Native, time: Micros, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let is_stale = native.sum.to_bits() == STALE_BITS;
    let buckets = if is_stale { Ok(Vec::new()) } else { cumulative(native) };
    let buckets = match buckets {
        Ok(buckets) => buckets,
        Err(refusal) => {
            sink.refuse_one(refusal);
            return Ok(());
        }
    };
    let count = if is_stale { native.sum } else { native.count };
    for (bound, count) in buckets {
        let part = sink.part(BUCKET, spelt(bound).as_bytes())?;
        sink.add_named(part, time, count)?;
    }
    // The sum comes last, by which the end of a histogram is known.
    for (part, bound, value) in [(BUCKET, EVERYTHING, count), (COUNT, b"", count), (SUM, b"", native.sum)] {
        let part = sink.part(part, bound)?;
        sink.add_named(part, time, value)?;
    }
    Ok(())
}

/// Upper bounds with how many observations lie at or below them; the last, of all, is left out.
fn cumulative(native: &Native) -> Result<Vec<(f64, f64)>, Refusal> {
    if native.schema == CUSTOM_SCHEMA {
        return custom(native);
    }
    if !(SCHEMA_MIN..=SCHEMA_MAX).contains(&native.schema) {
        return Err(Refusal::Histogram { reason: "unknown schema" });
    }
    let mut total = 0.0;
    let mut buckets = Vec::new();
    let mut add = |bound: f64, count: f64| {
        total += count;
        if bound.is_finite() {
            buckets.push((bound, total));
        }
    };
    // The bucket at a place holds what is at most the bound there and more than the one before, below zero mirrored.
    for (place, count) in native.negative.buckets()?.into_iter().rev() {
        add(-bound(place.saturating_sub(1), native.schema), count);
    }
    add(native.zero_threshold, native.zero_count);
    for (place, count) in native.positive.buckets()? {
        add(bound(place, native.schema), count);
    }
    // A huge place has the same bound as its neighbour; the later one counts both.
    buckets.reverse();
    buckets.dedup_by(|one, kept| one.0.to_bits() == kept.0.to_bits());
    buckets.reverse();
    Ok(buckets)
}

/// Every bound, also of buckets that are empty: that is what a classic histogram has.
fn custom(native: &Native) -> Result<Vec<(f64, f64)>, Refusal> {
    let refused = |reason| Err(Refusal::Histogram { reason });
    if !native.negative.buckets()?.is_empty() {
        return refused("bounds of its own and buckets below zero");
    }
    if native.bounds.iter().any(|bound| !bound.is_finite()) || native.bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return refused("its bounds are not in order");
    }
    let mut counts = vec![0.0; native.bounds.len() + 1];
    for (place, count) in native.positive.buckets()? {
        match usize::try_from(place).ok().and_then(|place| counts.get_mut(place)) {
            Some(bucket) => *bucket = count,
            None => return refused("a bucket has no bound"),
        }
    }
    let mut total = 0.0;
    let summed = native.bounds.iter().zip(counts).map(|(bound, count)| {
        total += count;
        (*bound, total)
    });
    Ok(summed.collect())
}

/// `2 ^ (place / 2 ^ schema)`, whole powers apart, which are exact.
fn bound(place: i64, schema: i64) -> f64 {
    if schema <= 0 {
        return (place.saturating_mul(1 << -schema) as f64).exp2();
    }
    let parts = 1 << schema;
    let fraction = place.rem_euclid(parts) as f64 / parts as f64;
    fraction.exp2() * (place.div_euclid(parts) as f64).exp2()
}

/// The shortest spelling that reads back as the same number, integers without a fraction.
fn spelt(bound: f64) -> String {
    let mut text = format!("{bound:?}");
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_powers_of_two_and_what_lies_between() {
        for (place, schema, expected) in [
            (0, 0, 1.0),
            (3, 0, 8.0),
            (-2, 0, 0.25),
            (1, -4, 65_536.0),
            (1, 1, std::f64::consts::SQRT_2),
            (-1, 1, std::f64::consts::FRAC_1_SQRT_2),
            (8, 3, 2.0),
            (-1_000_000, 8, 0.0),
            (i64::MAX, -4, f64::INFINITY),
        ] {
            let found = bound(place, schema);
            assert!((found - expected).abs() < 1e-15 * expected || found == expected, "{place} {schema}: {found}");
        }
    }

    #[test]
    fn bounds_are_spelt_as_short_as_they_can_be() {
        let bounds = [5.0, -0.25, 0.1, 1e300, 1.0905077326652577];
        assert_eq!(bounds.map(spelt), ["5", "-0.25", "0.1", "1e300", "1.0905077326652577"]);
    }
}

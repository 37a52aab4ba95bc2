//! Which width suits a column: as narrow as pays, what lies outside being exceptions. Pure.
//!
//! Integers are counted in [`BUCKETS`] buckets of equal span, and every run of 1, 2, 4, … of them is tried as what is not
//! an exception. When the best is in a single bucket, that one is looked at more closely.

use super::place_width;
use crate::codec::bits::{bounds, width_of};

const BUCKET_BITS: u32 = 6;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// Shorter columns have no exceptions: they would not pay for being told.
const COUNT_MIN: usize = 16;
/// What telling that there are exceptions takes.
const HEAD_BITS: u64 = 16;

/// A width, and from where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) base: i64,
    pub(super) width: u32,
    pub(super) exceptions: usize,
    /// About how many bits it takes.
    pub(super) cost: u64,
}

impl Fit {
    pub(super) fn of(integers: &[i64]) -> Self {
        let (smallest, largest) = bounds(integers.iter().copied());
        let full = width_of(largest.wrapping_sub(smallest) as u64);
        let cost = integers.len() as u64 * u64::from(full);
        let mut best = Self { base: smallest, width: full, exceptions: 0, cost };
        if integers.len() < COUNT_MIN || full == 0 {
            return best;
        }
        let exception_bits = u64::from(place_width(integers.len()) + (full + 1).min(u64::BITS));
        let (mut low, mut span) = (smallest, full);
        loop {
            let shift = span.saturating_sub(BUCKET_BITS);
            let totals = totals(integers, low, shift);
            let mut densest = (0, 0);
            for bits in 0..BUCKET_BITS.min(span) {
                let run = 1 << bits;
                let inside = |start: usize| totals[start + run] - totals[start];
                let (most, start) = (0..=BUCKETS - run).map(|start| (inside(start), start)).fold((0, 0), Ord::max);
                if bits == 0 {
                    densest = (most, start);
                }
                let (width, exceptions) = (shift + bits, integers.len() - most as usize);
                let cost = integers.len() as u64 * u64::from(width) + HEAD_BITS + exceptions as u64 * exception_bits;
                if cost < best.cost {
                    let base = low.wrapping_add(((start as u64) << shift) as i64);
                    best = Self { base, width, exceptions, cost };
                }
            }
            if shift == 0 || (densest.0 as usize) < integers.len() / 2 {
                return best;
            }
            (low, span) = (low.wrapping_add(((densest.1 as u64) << shift) as i64), shift);
        }
    }
}

/// How many integers are in all buckets before each.
fn totals(integers: &[i64], low: i64, shift: u32) -> [u32; BUCKETS + 1] {
    // One more, for what is in none.
    let mut counts = [0_u32; BUCKETS + 1];
    for integer in integers {
        let bucket = integer.wrapping_sub(low) as u64 >> shift;
        counts[bucket.min(BUCKETS as u64) as usize] += 1;
    }
    let mut total = 0;
    counts.map(|count| {
        total += count;
        total - count
    })
}

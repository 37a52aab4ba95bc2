//! Which width suits a column: as narrow as pays, what lies outside being exceptions. Pure.
//!
//! Integers, of long columns some of them, are counted in [`BUCKETS`] buckets of equal span, and every run of 1, 2, 4, … of them is tried as what is not
//! an exception. When the best is in a single bucket, that one is looked at more closely.

use super::place_width;
use crate::codec::bits::{bounds, width_of};

const BUCKET_BITS: u32 = 6;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// Small integers, of which the compiler takes several at once.
type Totals = [i16; BUCKETS + 1];

/// Of columns with more integers only every second, third, … is looked at.
const SEEN_MAX: usize = 512;
/// Shorter columns have no exceptions: they would not pay for being told.
const COUNT_MIN: usize = 16;
/// What telling that there are exceptions takes.
const HEAD_BITS: u64 = 16;

/// A width, and from where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) base: i64,
    pub(super) width: u32,
    /// About how many bits it takes.
    pub(super) cost: u64,
}

impl Fit {
    pub(super) fn of(integers: &[i64]) -> Self {
        let (smallest, largest) = bounds(integers.iter().copied());
        let full = width_of(largest.wrapping_sub(smallest) as u64);
        let cost = integers.len() as u64 * u64::from(full);
        let mut best = Self { base: smallest, width: full, cost };
        if integers.len() < COUNT_MIN || full == 0 {
            return best;
        }
        let exception_bits = u64::from(place_width(integers.len()) + (full + 1).min(u64::BITS));
        let each = integers.len().div_ceil(SEEN_MAX);
        let seen = integers.len().div_ceil(each);
        let (mut low, mut span) = (smallest, full);
        loop {
            let shift = span.saturating_sub(BUCKET_BITS);
            let totals = totals(integers.iter().step_by(each), low, shift);
            for bits in 0..BUCKET_BITS.min(span) {
                let run = 1 << bits;
                let (width, exceptions) = (shift + bits, (seen - fullest(&totals, run) as usize) * each);
                let cost = integers.len() as u64 * u64::from(width) + HEAD_BITS + exceptions as u64 * exception_bits;
                if cost < best.cost {
                    best = Self { base: begin(&totals, run, low, shift), width, cost };
                }
            }
            if shift == 0 || (fullest(&totals, 1) as usize) < seen / 2 {
                return best;
            }
            (low, span) = (begin(&totals, 1, low, shift), shift);
        }
    }
}

/// The most integers that any run of so many buckets holds. Without a branch, so that the compiler takes several at once.
fn fullest(totals: &Totals, run: usize) -> i16 {
    let held = totals[run..].iter().zip(totals).map(|(end, start)| end - start);
    held.fold(0, |most, held| if held > most { held } else { most })
}

/// Where the first run of buckets begins that holds the most.
fn begin(totals: &Totals, run: usize, low: i64, shift: u32) -> i64 {
    let most = fullest(totals, run);
    let start = totals[run..].iter().zip(totals).position(|(end, start)| end - start == most).unwrap_or(0);
    low.wrapping_add(((start as u64) << shift) as i64)
}

/// How many integers are in all buckets before each.
fn totals<'a>(integers: impl Iterator<Item = &'a i64>, low: i64, shift: u32) -> Totals {
    // One more, for what is in none.
    let mut counts = [0_i16; BUCKETS + 1];
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

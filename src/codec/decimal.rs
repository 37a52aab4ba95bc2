//! Floats that are short decimals, as integers.
//!
//! Most measured values were printed with a few decimals, so they are exactly `k / 10^e` for a small `k`. Dividing two
//! exactly held integers rounds correctly, so `k / 10^e` is the very float the decimal text stands for, and checking
//! the division bit for bit proves that nothing is lost. Values that do not pass stay floats.

/// The longest fraction tried, in decimal digits.
pub const EXPONENT_MAX: u8 = 12;

const POWERS: [f64; EXPONENT_MAX as usize + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/// Adding this to a float below 2^51 rounds it to an integer, held in the low bits of the sum.
const ROUNDER: f64 = (3_u64 << 51) as f64;
const SIGN_AND_EXPONENT: u64 = 0xfff << 52;

/// Values checked at a time: without a branch, so that the compiler takes several at once.
const CHUNK: usize = 64;
/// Values that are looked at first, to begin with an exponent that is likely to suit all.
const FIRST: usize = 4;

/// Finds the smallest exponent with which every value is exactly `k / 10^exponent`, and writes the `k` to `integers`.
///
/// `None` when there is no such exponent. `integers` must be as long as `values`.
pub fn to_integers(values: &[f64], integers: &mut [i64]) -> Option<u8> {
    debug_assert_eq!(values.len(), integers.len());
    // The exponent that suits one value is a lower bound for all.
    let raise = |exponent: u8, values: &[f64]| values.iter().try_fold(exponent, |least, value| suiting(*value, least));
    let mut exponent = raise(0, &values[..values.len().min(FIRST)])?;
    // Integers before this place were made with a smaller exponent.
    let mut outdated = 0;
    for start in (0..values.len()).step_by(CHUNK) {
        let end = (start + CHUNK).min(values.len());
        let chunk = &values[start..end];
        if !scale(chunk, exponent, &mut integers[start..end]) {
            exponent = raise(exponent, chunk)?;
            outdated = end;
        }
    }
    scale(&values[..outdated], exponent, &mut integers[..outdated]).then_some(exponent)
}

/// The smallest exponent from `least` on with which `value` is exactly an integer by a power of ten.
fn suiting(value: f64, least: u8) -> Option<u8> {
    (least..=EXPONENT_MAX).find(|exponent| scale(&[value], *exponent, &mut [0]))
}

/// Writes `k` for every value that is exactly `k / 10^exponent`, and answers whether all are. NaN, infinities and -0.0
/// never are.
#[inline]
fn scale(values: &[f64], exponent: u8, integers: &mut [i64]) -> bool {
    let power = POWERS[exponent as usize];
    let mut wrong = 0;
    for (value, integer) in values.iter().zip(integers) {
        let shifted = value * power + ROUNDER;
        let back = (shifted - ROUNDER) / power;
        // Sign and exponent stay those of the rounder as long as the scaled value is small enough for it.
        wrong |= (shifted.to_bits() ^ ROUNDER.to_bits()) & SIGN_AND_EXPONENT;
        wrong |= back.to_bits() ^ value.to_bits();
        *integer = (shifted.to_bits() as i64).wrapping_sub(ROUNDER.to_bits() as i64);
    }
    wrong == 0
}

/// The value of `integer / 10^exponent`, or `None` when the exponent is out of range.
pub fn to_float(integer: i64, exponent: u8) -> Option<f64> {
    power(exponent).map(|power| integer as f64 / power)
}

/// Writes each of `integers / power`.
pub(super) fn to_floats(integers: &[i64], power: f64, floats: &mut [f64]) {
    // The rounder turns small integers into floats several at a time, which the processor may have no instruction for.
    let shifted = |integer: i64| (integer as u64).wrapping_add(ROUNDER.to_bits());
    let changed = integers.iter().fold(0, |all, integer| all | (shifted(*integer) ^ ROUNDER.to_bits()));
    if changed & SIGN_AND_EXPONENT == 0 {
        for (float, &integer) in floats.iter_mut().zip(integers) {
            *float = (f64::from_bits(shifted(integer)) - ROUNDER) / power;
        }
    } else {
        for (float, &integer) in floats.iter_mut().zip(integers) {
            *float = integer as f64 / power;
        }
    }
}

/// What an integer is divided by to be the value, or `None` when the exponent is out of range.
pub fn power(exponent: u8) -> Option<f64> {
    POWERS.get(exponent as usize).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[f64], expected: Option<u8>) {
        let mut integers = vec![0; values.len()];
        let exponent = to_integers(values, &mut integers);
        assert_eq!(exponent, expected, "{values:?}");
        let Some(exponent) = exponent else { return };
        for (value, integer) in values.iter().zip(integers) {
            assert_eq!(to_float(integer, exponent).map(f64::to_bits), Some(value.to_bits()), "{value}");
        }
    }

    #[test]
    fn the_longest_fraction_decides_the_exponent() {
        check(&[1.0, 2.0], Some(0));
        check(&[45.2, 78.25, -3.0], Some(2));
        check(&[0.000_001], Some(6));
        check(&[], Some(0));
    }

    #[test]
    fn what_is_no_short_decimal_stays_a_float() {
        for value in [-0.0, f64::NAN, f64::INFINITY, 1.0 / 3.0, 1e300, 5e-324, 4e15] {
            check(&[value], None);
        }
    }

    /// Every exponent in turn, with every value.
    fn naively(values: &[f64]) -> Option<u8> {
        let is_exact = |value: f64, exponent: u8| {
            let power = POWERS[usize::from(exponent)];
            let integer = (value * power).round_ties_even();
            integer.abs() < (1_u64 << 51) as f64 && (integer / power).to_bits() == value.to_bits() && integer != 0.0
                || value.to_bits() == 0
        };
        (0..=EXPONENT_MAX).find(|exponent| values.iter().all(|value| is_exact(*value, *exponent)))
    }

    proptest! {
        #[test]
        fn the_exponent_is_the_smallest_that_suits_all_wherever_the_longest_fraction_stands(
            hundredths in prop::collection::vec(-100_000..100_000_i32, 1..300),
            longer in prop::collection::vec((any::<prop::sample::Index>(), -1_000_000_000..1_000_000_000_i64, 0_u8..=EXPONENT_MAX), 0..4),
        ) {
            let mut values: Vec<f64> = hundredths.iter().map(|hundredths| f64::from(*hundredths) / 100.0).collect();
            for (place, integer, exponent) in longer {
                let place = place.index(values.len());
                values[place] = to_float(integer, exponent).unwrap();
            }
            check(&values, naively(&values));
        }

        #[test]
        fn whatever_becomes_an_integer_comes_back_bit_for_bit(
            integers in prop::collection::vec(-(1_i64 << 54)..(1 << 54), 1..20), exponent in 0_u8..=EXPONENT_MAX,
        ) {
            let values: Vec<f64> = integers.iter().filter_map(|integer| to_float(*integer, exponent)).collect();
            let mut back = vec![0; values.len()];
            if let Some(found) = to_integers(&values, &mut back) {
                for (value, integer) in values.iter().zip(&back) {
                    prop_assert_eq!(to_float(*integer, found).map(f64::to_bits), Some(value.to_bits()));
                }
            }
        }

        #[test]
        fn no_float_at_all_is_changed(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let mut integers = [0];
            if let Some(exponent) = to_integers(&[value], &mut integers) {
                prop_assert_eq!(to_float(integers[0], exponent).map(f64::to_bits), Some(bits));
            }
        }
    }
}

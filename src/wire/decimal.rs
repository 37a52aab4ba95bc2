//! Decimal numbers of every dialect: their digits, and the nearest 64-bit float, correctly rounded.
//!
//! A decimal whose digits fit in 53 bits and whose power of ten is exact is one exact integer times or by another, so
//! one rounding gives the right answer. All others go to the standard library, which rounds correctly always.

/// The powers of ten a 64-bit float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The largest integer up to which a 64-bit float holds every integer.
pub(super) const EXACT_INTEGER_MAX: u64 = 1 << 53;
/// No number with this many digits overflows 64 bits.
pub(super) const EXACT_DIGITS_MAX: usize = 19;
/// Far past the exponent of any float; keeps the sum of exponents from overflowing.
pub(super) const EXPONENT_MAX: i64 = 1 << 40;

/// A number as it was read: `mantissa * 10^exponent`, as far as `digits` fit in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    pub(super) mantissa: u64,
    pub(super) digits: usize,
    pub(super) exponent: i64,
}

impl Decimal {
    #[inline(always)]
    pub(super) fn exact(self) -> Option<f64> {
        if self.digits > EXACT_DIGITS_MAX || self.mantissa > EXACT_INTEGER_MAX {
            return None;
        }
        let power = *EXACT_POWERS.get(usize::try_from(self.exponent.unsigned_abs()).ok()?)?;
        let mantissa = self.mantissa as f64;
        let value = if self.exponent < 0 { mantissa / power } else { mantissa * power };
        Some(if self.negative { -value } else { value })
    }
}

/// Reads the digits `text` begins with and answers how many there are; past 64 bits the mantissa wraps, which
/// [`Decimal::exact`] knows from their count.
#[inline(always)]
pub(super) fn digits(text: &[u8], mantissa: &mut u64) -> usize {
    let mut count = 0;
    while let Some(word) = text.get(count..).and_then(|rest| rest.first_chunk::<8>()).and_then(eight_digits) {
        *mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(word);
        count += 8;
    }
    while let Some(digit) = text.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    count
}

/// The number that eight bytes stand for, if all are digits: neighbours are joined to pairs, pairs to fours, fours to
/// eight, all in one word.
#[inline(always)]
fn eight_digits(bytes: &[u8; 8]) -> Option<u64> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    let digits = u64::from_le_bytes(*bytes).wrapping_sub(ZEROS);
    if (digits | digits.wrapping_add(ONES * (0x7f - 9))) & (ONES << 7) != 0 {
        return None;
    }
    Some(joined(digits))
}

/// The number whose digits are these bytes, the first one in the lowest.
#[inline(always)]
fn joined(digits: u64) -> u64 {
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

/// The decimal without sign and exponent that `text` begins with, and how long it is: when it has a digit before its
/// point and ends within eight bytes, as most numbers do. One word tells what otherwise a look at each byte does.
#[inline(always)]
pub(super) fn short(text: &[u8]) -> Option<(f64, usize)> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    const POINT: u64 = (b'.' ^ b'0') as u64;
    let digits = u64::from_le_bytes(*text.first_chunk::<8>()?) ^ (ONES * u64::from(b'0'));
    // A bit for each byte that is no digit.
    let others = (((digits & !HIGH) + ONES * (0x7f - 9)) | digits) & HIGH;
    let integer_bits = others.trailing_zeros() & !7;
    if integer_bits == 0 || others == 0 {
        return None;
    }
    if digits >> integer_bits & 0xff != POINT {
        return Some((joined(digits << (64 - integer_bits)) as f64, integer_bits as usize / 8));
    }
    let behind = others & (others - 1);
    if behind == 0 {
        return None;
    }
    let (end_bits, before) = (behind.trailing_zeros() & !7, (1 << integer_bits) - 1);
    let without_point = digits & before | digits >> 8 & !before;
    let fraction_digits = (end_bits - integer_bits) as usize / 8 - 1;
    let mantissa = joined(without_point << (72 - end_bits));
    Some((mantissa as f64 / EXACT_POWERS[fraction_digits], end_bits as usize / 8))
}

#[inline(never)]
pub(super) fn nearest(text: &[u8]) -> f64 {
    let text = std::str::from_utf8(text).expect("a number consists of ASCII characters");
    text.parse().expect("the grammars here are part of the one that Rust parses")
}

//! A column of integers of one width, and a few exceptions that do not fit it.
//!
//! ```text
//! width u8 (top bit: there are exceptions) │ base │ [exceptions, width of an exception u8] │ bits │ [places │ distances]
//! integer[i] = base + bits[i], or of an exception base + its distance
//! ```
//!
//! Bits, places and distances are unsigned integers of one width each, most significant bit first, every list filled up
//! to a whole byte; base and distances are signed and folded, see [`varint`]. Arithmetic wraps, so every `i64` comes back.

mod fit; // which width suits

use fit::Fit;

use super::bits::{packed_bytes, width_of};
use super::groups::{self, MostFirst};
use super::varint;

const HAS_EXCEPTIONS: u8 = 0x80;
/// Integers unpacked at a time.
pub(super) const CHUNK: usize = 128;

/// How a column is going to be packed, so that ways to pack the same can be compared.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    integers: &'a [i64],
    fit: Fit,
}

impl<'a> Plan<'a> {
    /// There must be at least one integer.
    pub(super) fn new(integers: &'a [i64]) -> Self {
        Self { integers, fit: Fit::of(integers) }
    }

    /// About how many bits the column is going to take.
    pub(super) fn cost(&self) -> u64 {
        self.fit.cost
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        const HEAD_BYTES_MAX: u64 = 24;
        let Fit { base, width, cost } = self.fit;
        out.reserve((cost / 8 + HEAD_BYTES_MAX) as usize);
        let largest = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
        let distance = |integer: i64| integer.wrapping_sub(base) as u64;
        let outside = self.integers.iter().enumerate().filter(|(_, integer)| distance(**integer) > largest);
        let (places, exceptions): (Vec<u64>, Vec<u64>) =
            outside.map(|(place, integer)| (place as u64, varint::fold(integer.wrapping_sub(base)))).unzip();
        let exception_width = width_of(exceptions.iter().fold(0, |all, exception| all | exception));
        out.push(width as u8 | if places.is_empty() { 0 } else { HAS_EXCEPTIONS });
        varint::put_signed(base, out);
        if !places.is_empty() {
            varint::put(places.len() as u64, out);
            out.push(exception_width as u8);
        }
        if width > 0 {
            let fitting = |integer: i64| if distance(integer) <= largest { distance(integer) } else { 0 };
            groups::pack::<MostFirst, i64>(self.integers, fitting, width, out);
        }
        groups::pack::<MostFirst, u64>(&places, |place| place, place_width(self.integers.len()), out);
        groups::pack::<MostFirst, u64>(&exceptions, |exception| exception, exception_width, out);
    }
}

/// A column that has been found in some bytes.
#[derive(Debug)]
pub(super) struct Column<'a> {
    count: usize,
    width: u32,
    base: i64,
    packed: &'a [u8],
    exceptions: Exceptions,
}

#[derive(Debug, Default)]
struct Exceptions {
    /// Ascending.
    places: Vec<i64>,
    distances: Vec<i64>,
}

impl<'a> Column<'a> {
    /// Takes a column of `count` integers off the front of `bytes`; `None` when it is damaged or cut short.
    pub(super) fn take(bytes: &mut &'a [u8], count: usize) -> Option<Self> {
        let head = byte(bytes)?;
        let base = varint::take_signed(bytes)?;
        let width = u32::from(head & !HAS_EXCEPTIONS);
        let mut exception = (0, 0);
        if head & HAS_EXCEPTIONS != 0 {
            exception = (usize::try_from(varint::take(bytes)?).ok()?, u32::from(byte(bytes)?));
            // Wherever there is room for exceptions, there is a place, and none is there for nothing.
            if !(1..=count).contains(&exception.0) || !(1..=u64::BITS).contains(&exception.1) || count < 2 {
                return None;
            }
        }
        if width > u64::BITS {
            return None;
        }
        let packed = bytes.split_off(..packed_bytes(count, width))?;
        let exceptions = Exceptions::take(bytes, exception, count)?;
        Some(Self { count, width, base, packed, exceptions })
    }

    /// The integer that all are, if they are all the same and that can be told at once.
    pub(super) fn constant(&self) -> Option<i64> {
        (self.width == 0 && self.exceptions.places.is_empty()).then_some(self.base)
    }

    /// Hands out the integers, [`CHUNK`] at a time, each time with the place of the first.
    pub(super) fn unpack(&self, mut take: impl FnMut(usize, &mut [i64])) {
        let mut integers = [0; CHUNK];
        let mut exceptions = self.exceptions.places.iter().zip(&self.exceptions.distances).peekable();
        for first in (0..self.count).step_by(CHUNK) {
            let chunk = &mut integers[..(self.count - first).min(CHUNK)];
            if self.width == 0 {
                chunk.fill(self.base);
            } else {
                groups::unpack::<MostFirst>(&self.packed[first / 8 * self.width as usize..], self.width, chunk);
                chunk.iter_mut().for_each(|integer| *integer = integer.wrapping_add(self.base));
            }
            let end = first + chunk.len();
            while let Some((place, distance)) = exceptions.next_if(|(place, _)| (**place as usize) < end) {
                chunk[*place as usize - first] = self.base.wrapping_add(*distance);
            }
            take(first, chunk);
        }
    }
}

impl Exceptions {
    fn take(bytes: &mut &[u8], (exceptions, width): (usize, u32), count: usize) -> Option<Self> {
        if exceptions == 0 {
            return Some(Self::default());
        }
        let mut list = |width: u32| {
            let packed = bytes.split_off(..packed_bytes(exceptions, width))?;
            let mut integers = vec![0; exceptions];
            groups::unpack::<MostFirst>(packed, width, &mut integers);
            Some(integers)
        };
        let (places, mut distances) = (list(place_width(count))?, list(width)?);
        distances.iter_mut().for_each(|distance| *distance = varint::unfold(*distance as u64));
        let is_inside = places.last().is_some_and(|last| (*last as usize) < count);
        (is_inside && places.is_sorted_by(|left, right| left < right)).then_some(Self { places, distances })
    }
}

/// The bits of a place in a column of so many integers.
fn place_width(count: usize) -> u32 {
    width_of(count.saturating_sub(1) as u64)
}

pub(super) fn byte(bytes: &mut &[u8]) -> Option<u8> {
    bytes.split_off_first().copied()
}

#[cfg(test)]
mod tests;

//! Samples of one series as a database row: where it starts, how many it holds, and the rest as bytes that plain SQL can
//! take apart too.
//!
//! ```text
//! head u8 │ times │ values
//! ```
//!
//! The head's low five bits say what the values are, see `values`; its high three how the times go on, see `times`. Every
//! float and every time comes back bit for bit.

mod times; // the times after the first
mod values; // the values

use super::patched;
use crate::model::Micros;

/// What comes before the first long column, mostly.
const HEAD_BYTES_USUAL: usize = 32;
/// The bits of the head that are about the values.
const VALUES_BITS: u32 = 5;

/// How many samples a row may hold; a decoder refuses more before it reserves memory for them.
pub const ROW_SAMPLES_MAX: usize = 4_096;

/// The columns of a row beside its series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplesRow {
    pub start: Micros,
    pub count: i16,
    /// From the first sample to the last, rounded up. [`i16::MAX`] when it is longer than that, which rows of an hour are
    /// not.
    pub seconds: i16,
    pub packed: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored row is damaged: {0}")]
pub struct RowError(pub &'static str);

/// Packs samples of one series: strictly ascending times, equally many values, 1 to [`ROW_SAMPLES_MAX`] of them.
pub fn encode(times: &[Micros], values: &[f64]) -> SamplesRow {
    debug_assert!(!times.is_empty() && times.len() <= ROW_SAMPLES_MAX && times.len() == values.len());
    debug_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    let mut packed = Vec::with_capacity(HEAD_BYTES_USUAL);
    packed.push(0);
    let times_head = times::encode(times, &mut packed);
    packed[0] = times_head << VALUES_BITS | values::encode(values, &mut packed);
    SamplesRow { start: times[0], count: times.len() as i16, seconds: seconds(times), packed }
}

/// What [`SamplesRow::seconds`] is of these times.
pub fn seconds(times: &[Micros]) -> i16 {
    let micros = times.last().zip(times.first()).map_or(0, |(last, first)| last.0.wrapping_sub(first.0) as u64);
    i16::try_from(micros.div_ceil(Micros::PER_SECOND as u64)).unwrap_or(i16::MAX)
}

/// Appends the samples of `row` to `times` and `values`.
///
/// # Errors
/// When its bytes are not those of so many samples. `times` and `values` are then as they were.
pub fn decode(row: &SamplesRow, times: &mut Vec<Micros>, values: &mut Vec<f64>) -> Result<(), RowError> {
    let count = usize::try_from(row.count).ok().filter(|count| (1..=ROW_SAMPLES_MAX).contains(count));
    let count = count.ok_or(RowError("count"))?;
    let (times_before, values_before) = (times.len(), values.len());
    let decoded = decode_all(row, count, times, values);
    if decoded.is_err() {
        times.truncate(times_before);
        values.truncate(values_before);
    }
    decoded
}

fn decode_all(row: &SamplesRow, count: usize, times: &mut Vec<Micros>, values: &mut Vec<f64>) -> Result<(), RowError> {
    let mut bytes = row.packed.as_slice();
    let head = patched::byte(&mut bytes).ok_or(RowError("head"))?;
    times::decode(head >> VALUES_BITS, &mut bytes, (row.start, count), times).ok_or(RowError("times"))?;
    values::decode(head & ((1 << VALUES_BITS) - 1), &mut bytes, count, values).ok_or(RowError("values"))?;
    if bytes.is_empty() { Ok(()) } else { Err(RowError("length")) }
}

#[cfg(test)]
mod tests;

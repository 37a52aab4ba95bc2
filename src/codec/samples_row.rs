//! Samples of one series as the columns of a database row, each column readable by plain SQL.
//!
//! ```text
//! time[0] = start          time[i] = time[i-1] + time_step + times[i-1] * time_unit
//! integer[i] = value_base + integers[i]                             unless value_is_steps
//! integer[i] = integer[i-1] + value_step + integers[i-1]            when value_is_steps; integer[0] = value_base
//! value[i] = integer[i] / 10^value_scale, or floats[i] when there are floats
//! ```
//!
//! `times` and `integers` are unsigned integers of one width a row, see [`BitString`]. Every float and every time comes
//! back bit for bit.

use super::bit_string::BitString;
use super::bits::{bounds, width_of};
use super::decimal;
use crate::model::Micros;

/// How many samples a row may hold; a decoder refuses more before it reserves memory for them.
pub const ROW_SAMPLES_MAX: usize = 4_096;

/// The columns of a row beside its series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplesRow {
    pub start: Micros,
    pub count: i16,
    pub time_step: i64,
    pub time_unit: i32,
    pub times: BitString,
    pub value_scale: i16,
    pub value_base: i64,
    pub value_step: i64,
    pub value_is_steps: bool,
    pub integers: BitString,
    /// Empty when the values are integers.
    pub floats: Vec<f64>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored row is damaged: {0}")]
pub struct RowError(pub &'static str);

/// Packs samples of one series: strictly ascending times, equally many values, 1 to [`ROW_SAMPLES_MAX`] of them.
pub fn encode(times: &[Micros], values: &[f64]) -> SamplesRow {
    debug_assert!(!times.is_empty() && times.len() <= ROW_SAMPLES_MAX && times.len() == values.len());
    debug_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    let mut row = SamplesRow { start: times[0], count: times.len() as i16, ..SamplesRow::default() };
    encode_times(times, &mut row);
    encode_values(values, &mut row);
    row
}

/// Appends the samples of `row` to `times` and `values`.
///
/// # Errors
/// When the columns do not fit each other. `times` and `values` are then as they were.
pub fn decode(row: &SamplesRow, times: &mut Vec<Micros>, values: &mut Vec<f64>) -> Result<(), RowError> {
    let count = usize::try_from(row.count).ok().filter(|count| (1..=ROW_SAMPLES_MAX).contains(count));
    let count = count.ok_or(RowError("count"))?;
    let (times_before, values_before) = (times.len(), values.len());
    let decoded = decode_times(row, count, times)
        .ok_or(RowError("times"))
        .and_then(|()| decode_values(row, count, values).ok_or(RowError("values")));
    if decoded.is_err() {
        times.truncate(times_before);
        values.truncate(values_before);
    }
    decoded
}

fn encode_times(times: &[Micros], row: &mut SamplesRow) {
    let step = |pair: &[Micros]| pair[1].0.wrapping_sub(pair[0].0) as u64;
    let Some(first) = times.windows(2).next().map(step) else { return };
    // Without a branch for each, which makes the usual case fast.
    if times.windows(2).fold(0, |uneven, pair| uneven | (step(pair) ^ first)) == 0 {
        row.time_step = first as i64;
        return;
    }
    let mut offsets: Vec<u64> = times.windows(2).map(step).collect();
    let smallest = offsets.iter().copied().min().unwrap_or(first);
    offsets.iter_mut().for_each(|offset| *offset -= smallest);
    // A unit that does not fit its column is replaced by one that always divides.
    let unit = i32::try_from(common_divisor(&offsets)).unwrap_or(1);
    if unit > 1 {
        offsets.iter_mut().for_each(|offset| *offset /= unit as u64);
    }
    (row.time_step, row.time_unit, row.times) = (smallest as i64, unit, BitString::pack(&offsets));
}

fn common_divisor(integers: &[u64]) -> u64 {
    let mut divisor = 0;
    for &integer in integers {
        let (mut left, mut right) = (integer, divisor);
        while right != 0 {
            (left, right) = (right, left % right);
        }
        divisor = left;
        if divisor == 1 {
            break;
        }
    }
    divisor
}

fn decode_times(row: &SamplesRow, count: usize, times: &mut Vec<Micros>) -> Option<()> {
    let before = times.len();
    times.resize(before + count, row.start);
    let steps = &mut times[before + 1..];
    if row.times.len == 0 {
        return decode_even_times(row, steps);
    }
    let (mut last, mut all_ascend) = (row.start.0, true);
    let unit = i64::from(row.time_unit);
    row.times.unpack_with(count - 1, |first, offsets| {
        let (mut time, mut ascends) = (last, true);
        for (slot, &mut offset) in steps[first..].iter_mut().zip(offsets) {
            let before = time;
            // Wrapped arithmetic is what the encoder's inverse needs, and only a damaged row goes back in time.
            time = before.wrapping_add(row.time_step.wrapping_add(offset.wrapping_mul(unit)));
            ascends &= time > before;
            *slot = Micros(time);
        }
        last = time;
        all_ascend &= ascends;
    })?;
    all_ascend.then_some(())
}

fn decode_even_times(row: &SamplesRow, times: &mut [Micros]) -> Option<()> {
    let mut time = row.start.0;
    for slot in &mut *times {
        time = time.wrapping_add(row.time_step);
        *slot = Micros(time);
    }
    // What is checked step by step above, for all at once: none is zero, and they do not lead past the end of time.
    let step = row.time_step as u64;
    let last = i128::from(row.start.0) + i128::from(step) * times.len() as i128;
    (times.is_empty() || step > 0 && last <= i128::from(i64::MAX)).then_some(())
}

fn encode_values(values: &[f64], row: &mut SamplesRow) {
    let mut integers = vec![0; values.len()];
    let Some(scale) = decimal::to_integers(values, &mut integers) else {
        row.floats = values.to_vec();
        return;
    };
    row.value_scale = i16::from(scale);
    let (smallest, largest) = bounds(integers.iter().copied());
    let (step_min, step_max) = bounds(integers.windows(2).map(|pair| pair[1] - pair[0]));
    let (width, step_width) = (width_of((largest - smallest) as u64), width_of((step_max - step_min) as u64));
    if step_width < width {
        (row.value_base, row.value_step, row.value_is_steps) = (integers[0], step_min, true);
        for place in 1..integers.len() {
            integers[place - 1] = integers[place] - integers[place - 1];
        }
        integers.pop();
        row.integers = BitString::pack_with(&integers, |step| (step - step_min) as u64, step_width);
    } else {
        row.value_base = smallest;
        row.integers = BitString::pack_with(&integers, |integer| (integer - smallest) as u64, width);
    }
}

fn decode_values(row: &SamplesRow, count: usize, values: &mut Vec<f64>) -> Option<()> {
    if !row.floats.is_empty() {
        if row.floats.len() != count {
            return None;
        }
        values.extend_from_slice(&row.floats);
        return Some(());
    }
    let power = decimal::power(u8::try_from(row.value_scale).ok()?)?;
    let before = values.len();
    values.resize(before + count, row.value_base as f64 / power);
    let values = &mut values[before..];
    if row.value_is_steps {
        let mut last = row.value_base;
        return row.integers.unpack_with(count - 1, |first, integers| {
            let mut before = last;
            for integer in &mut *integers {
                before = before.wrapping_add(row.value_step.wrapping_add(*integer));
                *integer = before;
            }
            last = before;
            decimal::to_floats(integers, power, &mut values[first + 1..]);
        });
    }
    if row.integers.len == 0 {
        return Some(());
    }
    row.integers.unpack_with(count, |first, integers| {
        integers.iter_mut().for_each(|integer| *integer = integer.wrapping_add(row.value_base));
        decimal::to_floats(integers, power, &mut values[first..]);
    })
}

#[cfg(test)]
mod tests;

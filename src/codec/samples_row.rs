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
    let mut scratch = vec![0; count];
    let decoded = decode_times(row, &mut scratch[1..], times)
        .ok_or(RowError("times"))
        .and_then(|()| decode_values(row, &mut scratch, values).ok_or(RowError("values")));
    if decoded.is_err() {
        times.truncate(times_before);
        values.truncate(values_before);
    }
    decoded
}

fn encode_times(times: &[Micros], row: &mut SamplesRow) {
    let steps = || times.windows(2).map(|pair| pair[1].0.wrapping_sub(pair[0].0) as u64);
    let Some(smallest) = steps().min() else { return };
    let unit = steps().fold(0, |unit, step| gcd(unit, step - smallest));
    if unit == 0 {
        row.time_step = smallest as i64;
        return;
    }
    // A unit that does not fit its column is replaced by one that always divides.
    let unit = i32::try_from(unit).unwrap_or(1);
    let offsets: Vec<u64> = steps().map(|step| (step - smallest) / unit as u64).collect();
    (row.time_step, row.time_unit, row.times) = (smallest as i64, unit, BitString::pack(&offsets));
}

fn gcd(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

fn decode_times(row: &SamplesRow, offsets: &mut [u64], times: &mut Vec<Micros>) -> Option<()> {
    row.times.unpack(offsets)?;
    let unit = i64::from(row.time_unit);
    let mut time = row.start.0;
    times.push(row.start);
    for &offset in &*offsets {
        let step = row.time_step.wrapping_add((offset as i64).wrapping_mul(unit));
        time = time.wrapping_add(step);
        times.push(Micros(time));
    }
    // Wrapped arithmetic is what the encoder's inverse needs, and only a damaged row goes back in time.
    let ascends = times[times.len() - offsets.len() - 1..].is_sorted_by(|left, right| left < right);
    ascends.then_some(())
}

fn encode_values(values: &[f64], row: &mut SamplesRow) {
    let mut integers = vec![0; values.len()];
    let Some(scale) = decimal::to_integers(values, &mut integers) else {
        row.floats = values.to_vec();
        return;
    };
    row.value_scale = i16::from(scale);
    let smallest = integers.iter().copied().min().unwrap_or_default();
    let largest = integers.iter().copied().max().unwrap_or_default();
    let steps = || integers.windows(2).map(|pair| pair[1] - pair[0]);
    let (step_min, step_max) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
    if super::bits::width_of((step_max - step_min) as u64) < super::bits::width_of((largest - smallest) as u64) {
        (row.value_base, row.value_step, row.value_is_steps) = (integers[0], step_min, true);
        row.integers = BitString::pack(&steps().map(|step| (step - step_min) as u64).collect::<Vec<_>>());
    } else {
        row.value_base = smallest;
        row.integers = BitString::pack(&integers.iter().map(|value| (value - smallest) as u64).collect::<Vec<_>>());
    }
}

fn decode_values(row: &SamplesRow, offsets: &mut [u64], values: &mut Vec<f64>) -> Option<()> {
    if !row.floats.is_empty() {
        values.extend_from_slice(&row.floats);
        return (row.floats.len() == offsets.len()).then_some(());
    }
    let scale = u8::try_from(row.value_scale).ok()?;
    if row.value_is_steps {
        row.integers.unpack(&mut offsets[1..])?;
        let mut integer = row.value_base;
        values.push(decimal::to_float(integer, scale)?);
        for &offset in &offsets[1..] {
            integer = integer.wrapping_add(row.value_step).wrapping_add(offset as i64);
            values.push(decimal::to_float(integer, scale)?);
        }
    } else {
        row.integers.unpack(offsets)?;
        for &offset in &*offsets {
            values.push(decimal::to_float(row.value_base.wrapping_add(offset as i64), scale)?);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn round_trip(samples: &BTreeMap<i64, f64>) -> SamplesRow {
        let times: Vec<Micros> = samples.keys().map(|time| Micros(*time)).collect();
        let values: Vec<f64> = samples.values().copied().collect();
        let row = encode(&times, &values);
        let (mut times_back, mut values_back) = (Vec::new(), Vec::new());
        decode(&row, &mut times_back, &mut values_back).unwrap();
        assert_eq!(times_back, times);
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values_back), bits(&values));
        row
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
            any::<i32>().prop_map(f64::from),
        ]
    }

    #[test]
    fn evenly_spaced_times_take_no_bits_and_a_gap_takes_one_for_each() {
        let even: BTreeMap<i64, f64> = (0..360).map(|place| (place * 10_000_000, 1.5)).collect();
        let row = round_trip(&even);
        assert_eq!((row.times.len, row.integers.len, row.time_step), (0, 0, 10_000_000));
        let with_gap: BTreeMap<i64, f64> = even
            .into_iter()
            .map(|(time, value)| (if time > 1_000_000_000 { time + 60_000_000 } else { time }, value))
            .collect();
        assert_eq!(round_trip(&with_gap).times.len, 359);
    }

    #[test]
    fn a_counter_is_kept_as_steps() {
        let counter: BTreeMap<i64, f64> = (0..100).map(|place| (place, (place * 1000 + place % 3) as f64)).collect();
        let row = round_trip(&counter);
        assert!(row.value_is_steps && row.integers.len <= 99 * 2, "{row:?}");
    }

    proptest! {
        #[test]
        fn every_row_comes_back_bit_for_bit(samples in prop::collection::btree_map(any::<i64>(), value(), 1..300)) {
            round_trip(&samples);
        }

        #[test]
        fn ordinary_rows_come_back(
            steps in prop::collection::vec((9_000..11_000_i64, -500..500_i32), 1..300), start in 0..2_000_000_000_000_000_i64,
        ) {
            let (mut time, mut hundredths) = (start, 5_000);
            let samples = steps.into_iter().map(|(millis, step)| {
                time += millis * 1000;
                hundredths += step;
                (time, f64::from(hundredths) / 100.0)
            });
            round_trip(&samples.collect());
        }
    }
}

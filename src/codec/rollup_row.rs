//! Buckets of one series as the columns of a database row, each column readable by plain SQL.
//!
//! `buckets` has a bit for each bucket the row could hold. Every other column has an entry for each bucket there is:
//! unsigned integers of one width, see [`BitString`], as distances from a base. `floats` takes their place when a value
//! is no short decimal.

use super::bit_string::BitString;
use super::decimal;
use super::samples_row::RowError;
use crate::model::{Bucket, Micros, Resolution};

/// The value columns of a bucket, in the order of `floats`: sum, min, max, first, last, increase.
const VALUES: usize = 6;
const SUM: usize = 0;
const INCREASE: usize = 5;

/// The columns of a row beside its series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RollupRow {
    pub start: Micros,
    pub count_base: i32,
    pub value_scale: i16,
    pub value_base: i64,
    pub increase_base: i64,
    pub buckets: BitString,
    pub counts: BitString,
    /// In the order of `floats`.
    pub values: [BitString; VALUES],
    /// Empty when the values are integers.
    pub floats: Vec<f64>,
}

/// Packs buckets of one series that lie in one row's stretch, in order of time. There must be one at least.
pub fn encode(buckets: &[Bucket], resolution: Resolution) -> RollupRow {
    debug_assert!(!buckets.is_empty() && buckets.windows(2).all(|pair| pair[0].start < pair[1].start));
    let first = buckets.first().map_or(Micros(0), |bucket| bucket.start);
    let start = Micros(first.0.saturating_sub(first.0.rem_euclid(resolution.row_micros())));
    let mut row = RollupRow { start, buckets: present(buckets, start, resolution), ..RollupRow::default() };
    let fewest = buckets.iter().map(|bucket| bucket.count).min().unwrap_or_default();
    // What does not fit the column is in the distances; those are 64 bits wide when they must.
    row.count_base = i32::try_from(fewest).unwrap_or(i32::MAX);
    let base = row.count_base as u64;
    row.counts = BitString::pack(&buckets.iter().map(|bucket| bucket.count - base).collect::<Vec<_>>());
    if encode_values(buckets, &mut row).is_none() {
        (row.value_scale, row.value_base, row.increase_base) = (0, 0, 0);
        row.floats = (0..VALUES).flat_map(|column| buckets.iter().map(move |bucket| values(bucket)[column])).collect();
    }
    row
}

/// Appends the buckets of `row` to `buckets`.
///
/// # Errors
/// When the columns do not fit each other. `buckets` is then as it was.
pub fn decode(row: &RollupRow, resolution: Resolution, buckets: &mut Vec<Bucket>) -> Result<(), RowError> {
    let before = buckets.len();
    let stretch = resolution.row_buckets();
    if row.buckets.len as usize != stretch || row.buckets.bytes.len() != stretch.div_ceil(8) {
        return Err(RowError("buckets"));
    }
    let is_whole = row.start.0.rem_euclid(resolution.row_micros()) == 0;
    if !is_whole || row.start.0.checked_add(resolution.row_micros()).is_none() {
        return Err(RowError("rollup start"));
    }
    for place in (0..stretch).filter(|place| row.buckets.bytes[place / 8] & (0x80 >> (place % 8)) != 0) {
        let start = Micros(row.start.0 + place as i64 * resolution.micros());
        buckets.push(Bucket { start, ..Bucket::default() });
    }
    let decoded = decode_columns(row, &mut buckets[before..]);
    if decoded.is_none() {
        buckets.truncate(before);
    }
    decoded.ok_or(RowError("rollup values"))
}

fn present(buckets: &[Bucket], start: Micros, resolution: Resolution) -> BitString {
    let stretch = resolution.row_buckets();
    let mut bytes = vec![0; stretch.div_ceil(8)];
    for bucket in buckets {
        let place = (bucket.start.0.wrapping_sub(start.0) / resolution.micros()) as usize;
        debug_assert!(place < stretch);
        if let Some(byte) = bytes.get_mut(place / 8) {
            *byte |= 0x80 >> (place % 8);
        }
    }
    BitString { bytes, len: stretch as u32 }
}

fn values(bucket: &Bucket) -> [f64; VALUES] {
    [bucket.sum, bucket.min, bucket.max, bucket.first, bucket.last, bucket.increase]
}

/// `None` when a value is no short decimal, or a distance would not fit. The row is then half written.
fn encode_values(buckets: &[Bucket], row: &mut RollupRow) -> Option<()> {
    let all: Vec<f64> = buckets.iter().flat_map(values).collect();
    let mut integers = vec![0; all.len()];
    row.value_scale = i16::from(decimal::to_integers(&all, &mut integers)?);
    let of_buckets = || integers.as_chunks::<VALUES>().0.iter();
    row.value_base = of_buckets().flat_map(|of_one| &of_one[1..INCREASE]).copied().min()?;
    row.increase_base = of_buckets().map(|of_one| of_one[INCREASE]).min()?;
    let mut packed: [BitString; VALUES] = Default::default();
    for (column, packed) in packed.iter_mut().enumerate() {
        let distances: Option<Vec<u64>> = of_buckets()
            .zip(buckets)
            .map(|(of_one, bucket)| of_one[column].checked_sub(base(row, column, bucket.count)?)?.try_into().ok())
            .collect();
        *packed = BitString::pack(&distances?);
    }
    row.values = packed;
    Some(())
}

/// What the entry of a column is a distance from.
fn base(row: &RollupRow, column: usize, count: u64) -> Option<i64> {
    match column {
        SUM => row.value_base.checked_mul(i64::try_from(count).ok()?),
        INCREASE => Some(row.increase_base),
        _ => Some(row.value_base),
    }
}

fn decode_columns(row: &RollupRow, buckets: &mut [Bucket]) -> Option<()> {
    let mut distances = vec![0; buckets.len()];
    row.counts.unpack(&mut distances)?;
    for (bucket, distance) in buckets.iter_mut().zip(&distances) {
        bucket.count = u64::try_from(row.count_base).ok()?.checked_add(*distance as u64)?;
    }
    // There is no empty bucket, and no row without buckets.
    if buckets.is_empty() || buckets.iter().any(|bucket| bucket.count == 0) {
        return None;
    }
    if !row.floats.is_empty() {
        if row.floats.len() != VALUES * buckets.len() {
            return None;
        }
        let count = buckets.len();
        for (place, bucket) in buckets.iter_mut().enumerate() {
            set_values(bucket, std::array::from_fn(|column| row.floats[column * count + place]));
        }
        return Some(());
    }
    let scale = u8::try_from(row.value_scale).ok()?;
    let mut columns = vec![[0.0; VALUES]; buckets.len()];
    for (column, packed) in row.values.iter().enumerate() {
        packed.unpack(&mut distances)?;
        for ((values, bucket), distance) in columns.iter_mut().zip(&*buckets).zip(&distances) {
            let integer = base(row, column, bucket.count)?.checked_add_unsigned(*distance as u64)?;
            values[column] = decimal::to_float(integer, scale)?;
        }
    }
    buckets.iter_mut().zip(columns).for_each(|(bucket, values)| set_values(bucket, values));
    Some(())
}

fn set_values(bucket: &mut Bucket, [sum, min, max, first, last, increase]: [f64; VALUES]) {
    *bucket = Bucket { sum, min, max, first, last, increase, ..*bucket };
}

#[cfg(test)]
mod tests;

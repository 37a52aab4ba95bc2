//! The times of a row after its first one.
//!
//! ```text
//! EVEN    unit                   time[i] = time[i-1] + unit
//! STEPS   unit, column           time[i] = time[i-1] + unit * column[i-1]
//! GRID    unit, step, column     time[i] = time[0] + unit * (i * step + column[i-1])
//! ```
//!
//! A unit is an integer whose low two bits say what the others count: microseconds, milliseconds or seconds; when they
//! are three, microseconds follow as an integer of their own. Integers are those of [`varint`], columns those of
//! [`patched`]. Of one sample there is nothing to say.

use crate::codec::patched::{Column, Plan};
use crate::codec::varint;
use crate::model::Micros;

const EVEN: u8 = 0;
const STEPS: u8 = 1;
const GRID: u8 = 2;

/// What units count in, by their low bits.
const SCALES: [u64; 3] = [1, 1_000, 1_000_000];
const SCALE_BITS: u32 = 2;
/// In the low bits of a unit: it is too large to be beside them.
const APART: u64 = SCALES.len() as u64;
/// Fewer times are not tried as a grid.
const GRID_COUNT_MIN: usize = 16;

/// Appends all but the first, and answers how.
pub(super) fn encode(times: &[Micros], out: &mut Vec<u8>) -> u8 {
    let step = |pair: &[Micros]| pair[1].0.wrapping_sub(pair[0].0) as u64;
    let Some(first) = times.windows(2).next().map(step) else { return EVEN };
    // Without a branch for each, which makes the usual case fast.
    if times.windows(2).fold(0, |uneven, pair| uneven | (step(pair) ^ first)) == 0 {
        put_unit(first, out);
        return EVEN;
    }
    let mut steps: Vec<u64> = times.windows(2).map(step).collect();
    let unit = to_units(&mut steps);
    put_unit(unit, out);
    let steps: Vec<i64> = steps.into_iter().map(|step| step as i64).collect();
    let plan = Plan::new(&steps);
    if let Some((step, offsets)) = grid(&steps) {
        let offsets = Plan::new(&offsets);
        if offsets.cost() < plan.cost() {
            varint::put(step as u64, out);
            offsets.write(out);
            return GRID;
        }
    }
    plan.write(out);
    STEPS
}

/// A step that leads from the first time to the last, and how far each time is from where it leads.
fn grid(steps: &[i64]) -> Option<(i64, Vec<i64>)> {
    if steps.len() < GRID_COUNT_MIN {
        return None;
    }
    let (all, count) = (steps.iter().fold(0, |all: i64, step| all.wrapping_add(*step)) as u64, steps.len() as u64);
    let step = all.saturating_add(count / 2) / count;
    let mut offset = 0_i64;
    let offsets = steps.iter().map(|own| {
        offset = offset.wrapping_add(own.wrapping_sub(step as i64));
        offset
    });
    Some((step as i64, offsets.collect()))
}

/// Divides by the largest integer that divides all, and answers it.
fn to_units(integers: &mut [u64]) -> u64 {
    // First by what is known to the compiler, which needs no division for it. What is left has mostly none in common.
    let scale = if divide::<1_000_000>(integers) {
        1_000_000
    } else if divide::<1_000>(integers) {
        1_000
    } else {
        1
    };
    let divisor = common_divisor(integers);
    if divisor > 1 {
        integers.iter_mut().for_each(|integer| *integer /= divisor);
    }
    scale * divisor
}

/// Divides all, if none leaves a remainder.
fn divide<const BY: u64>(integers: &mut [u64]) -> bool {
    let divides = integers.iter().all(|integer| integer.is_multiple_of(BY));
    if divides {
        integers.iter_mut().for_each(|integer| *integer /= BY);
    }
    divides
}

/// Of integers that are not all zero.
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

fn put_unit(unit: u64, out: &mut Vec<u8>) {
    let whole = |scale: &usize| unit.is_multiple_of(SCALES[*scale]) && unit / SCALES[*scale] < 1 << (64 - SCALE_BITS);
    match (0..SCALES.len()).rev().find(whole) {
        Some(scale) => varint::put((unit / SCALES[scale]) << SCALE_BITS | scale as u64, out),
        None => {
            varint::put(APART, out);
            varint::put(unit, out);
        }
    }
}

fn take_unit(bytes: &mut &[u8]) -> Option<i64> {
    let packed = varint::take(bytes)?;
    let unit = match packed & ((1 << SCALE_BITS) - 1) {
        APART => varint::take(bytes)?,
        scale => (packed >> SCALE_BITS).checked_mul(*SCALES.get(scale as usize)?)?,
    };
    // As its 64 bits: what is wrong with it shows when times do not ascend.
    Some(unit as i64)
}

/// Appends `count` times, the first of which is `start`.
pub(super) fn decode(
    head: u8,
    bytes: &mut &[u8],
    (start, count): (Micros, usize),
    times: &mut Vec<Micros>,
) -> Option<()> {
    let before = times.len();
    if count == 1 {
        times.push(start);
        return (head == EVEN).then_some(());
    }
    let unit = take_unit(bytes)?;
    if head == EVEN {
        times.resize(before + count, start);
        return even(start, unit, &mut times[before + 1..]);
    }
    let step = if head == GRID { varint::take(bytes)? as i64 } else { 0 };
    let column = Column::take(bytes, count - 1)?;
    times.resize(before + count, start);
    match head {
        STEPS => steps(start, unit, &column, &mut times[before + 1..]),
        GRID => on_grid((start, step), unit, &column, &mut times[before + 1..]),
        _ => None,
    }
}

fn even(start: Micros, step: i64, times: &mut [Micros]) -> Option<()> {
    let mut time = start.0;
    for slot in &mut *times {
        time = time.wrapping_add(step);
        *slot = Micros(time);
    }
    // What is checked step by step below, for all at once: none is zero, and they do not lead past the end of time.
    let last = i128::from(start.0) + i128::from(step as u64) * times.len() as i128;
    (step != 0 && last <= i128::from(i64::MAX)).then_some(())
}

// Wrapped arithmetic is what the encoder's inverse needs, and only a damaged row goes back in time.

fn steps(start: Micros, unit: i64, column: &Column<'_>, times: &mut [Micros]) -> Option<()> {
    let (mut last, mut all_ascend) = (start.0, true);
    column.unpack(|first, steps| {
        let (mut time, mut ascends) = (last, true);
        for (slot, step) in times[first..].iter_mut().zip(steps) {
            let before = time;
            time = before.wrapping_add(step.wrapping_mul(unit));
            ascends &= time > before;
            *slot = Micros(time);
        }
        last = time;
        all_ascend &= ascends;
    });
    all_ascend.then_some(())
}

fn on_grid((start, step): (Micros, i64), unit: i64, column: &Column<'_>, times: &mut [Micros]) -> Option<()> {
    let (mut last, mut point, mut all_ascend) = (start.0, 0_i64, true);
    column.unpack(|first, offsets| {
        let (mut before, mut ascends) = (last, true);
        for (slot, offset) in times[first..].iter_mut().zip(offsets) {
            point = point.wrapping_add(step);
            let time = start.0.wrapping_add(point.wrapping_add(*offset).wrapping_mul(unit));
            ascends &= time > before;
            before = time;
            *slot = Micros(time);
        }
        last = before;
        all_ascend &= ascends;
    });
    all_ascend.then_some(())
}

//! The values of a row, as integers.
//!
//! ```text
//! PLAIN   column            integer[i] = column[i]
//! STEPS   first, column     integer[i] = integer[i-1] + column[i-1]        integer[0] = first
//! ```
//!
//! The low four bits of the head say how an integer is a value: 0 to 12 by which power of ten it is divided, [`FLOATS`]
//! that it is the float itself, see [`ordered`]. The bit above them says that there are steps. The first integer is a
//! signed one of [`varint`].

use crate::codec::decimal;
use crate::codec::patched::{Column, Plan};
use crate::codec::varint;

/// The head of floats that are no short decimals.
const FLOATS: u8 = 15;
const STEPS: u8 = 0x10;

/// Appends the values, and answers what they are.
pub(super) fn encode(values: &[f64], out: &mut Vec<u8>) -> u8 {
    let mut integers = vec![0; values.len()];
    let head = decimal::to_integers(values, &mut integers).unwrap_or_else(|| {
        integers.iter_mut().zip(values).for_each(|(integer, value)| *integer = ordered(value.to_bits()));
        FLOATS
    });
    let steps: Vec<i64> = integers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let plain = Plan::new(&integers);
    if !steps.is_empty() && plain.cost() > 0 {
        let steps = Plan::new(&steps);
        // The first integer of all is what steps cost more.
        if steps.cost() + u64::from(i64::BITS) / 4 < plain.cost() {
            varint::put_signed(integers[0], out);
            steps.write(out);
            return head | STEPS;
        }
    }
    plain.write(out);
    head
}

/// Appends `count` values.
pub(super) fn decode(head: u8, bytes: &mut &[u8], count: usize, values: &mut Vec<f64>) -> Option<()> {
    let (kind, has_steps) = (head & !STEPS, head & STEPS != 0);
    let power = if kind == FLOATS { None } else { Some(decimal::power(kind)?) };
    let to_floats = |integers: &[i64], values: &mut [f64]| match power {
        Some(power) => decimal::to_floats(integers, power, values),
        None => {
            for (value, integer) in values.iter_mut().zip(integers) {
                *value = f64::from_bits(ordered(*integer as u64) as u64);
            }
        }
    };
    let before = values.len();
    if !has_steps {
        let column = Column::take(bytes, count)?;
        if let Some(constant) = column.constant() {
            let mut value = [0.0];
            to_floats(&[constant], &mut value);
            values.resize(before + count, value[0]);
            return Some(());
        }
        values.resize(before + count, 0.0);
        column.unpack(|first, integers| to_floats(integers, &mut values[before + first..]));
        return Some(());
    }
    let mut last = varint::take_signed(bytes)?;
    let column = Column::take(bytes, count.checked_sub(1)?)?;
    values.resize(before + count, 0.0);
    to_floats(&[last], &mut values[before..]);
    column.unpack(|first, integers| {
        let mut integer = last;
        for step in &mut *integers {
            integer = integer.wrapping_add(*step);
            *step = integer;
        }
        last = integer;
        to_floats(integers, &mut values[before + 1 + first..]);
    });
    Some(())
}

/// The bits of floats as integers in the order of the floats, and such integers as bits again.
fn ordered(bits: u64) -> i64 {
    let bits = bits as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

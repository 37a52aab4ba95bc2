//! Columns with exceptions: all come back, damaged ones are refused, and outliers cost what they are worth.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn packed(integers: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    Plan::new(integers).write(&mut out);
    out
}

fn unpacked(column: &Column<'_>) -> Vec<i64> {
    let mut integers = Vec::new();
    column.unpack(|first, chunk| {
        assert_eq!(first, integers.len());
        integers.extend_from_slice(chunk);
    });
    integers
}

fn round_trip(integers: &[i64]) -> usize {
    let packed = packed(integers);
    let mut bytes = packed.as_slice();
    let column = Column::take(&mut bytes, integers.len()).unwrap();
    assert!(bytes.is_empty(), "a column takes exactly its own bytes");
    assert_eq!(unpacked(&column), integers);
    for short in 0..packed.len() {
        assert!(Column::take(&mut &packed[..short], integers.len()).is_none(), "{short} of {} bytes", packed.len());
    }
    packed.len()
}

#[test]
fn equal_integers_take_two_bytes() {
    assert_eq!(round_trip(&[7; 300]), 2);
}

#[test]
fn an_outlier_costs_a_few_bytes_and_widens_no_other() {
    let mut integers: Vec<i64> = (0..300).map(|place| place * 7919 % 8).collect();
    let without = round_trip(&integers);
    integers[100] = 1_000_000_000;
    integers[200] = -5;
    assert!(round_trip(&integers) <= without + 14);
    let mut constant = [10_000; 360];
    constant[77] = 70_000;
    assert!(round_trip(&constant) <= 11);
}

#[test]
fn what_is_in_the_midst_of_many_outliers_is_as_narrow_as_its_cost_says() {
    // Two in a hundred far above and below.
    let integers: Vec<i64> =
        (0..1000).map(|place| if place % 50 == 0 { (place - 500) << 40 } else { place % 16 }).collect();
    assert!(round_trip(&integers) < 700);
}

proptest! {
    #[test]
    fn every_column_comes_back(integers in vec(any::<i64>(), 1..300)) {
        round_trip(&integers);
    }

    #[test]
    fn columns_with_outliers_come_back_and_are_no_longer_than_without_exceptions(
        base in any::<i64>(), near in vec(0..200_i64, 1..600), far in vec((any::<prop::sample::Index>(), any::<i64>(), 0..64), 0..9),
    ) {
        let mut integers: Vec<i64> = near.into_iter().map(|near| base.wrapping_add(near)).collect();
        for (place, far, shift) in far {
            let place = place.index(integers.len());
            integers[place] = base.wrapping_add(far >> shift);
        }
        let (smallest, largest) = (integers.iter().min().unwrap(), integers.iter().max().unwrap());
        let width = width_of(largest.wrapping_sub(*smallest) as u64);
        prop_assert!(round_trip(&integers) <= packed_bytes(integers.len(), width) + 24);
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused_without_a_panic(bytes in vec(any::<u8>(), 0..300), count in 1_usize..300) {
        if let Some(column) = Column::take(&mut bytes.as_slice(), count) {
            prop_assert_eq!(unpacked(&column).len(), count);
        }
    }

    #[test]
    fn a_changed_column_is_refused_or_has_as_many_integers(
        integers in vec(prop_oneof![20 => 0..9_i64, 1 => any::<i64>()], 16..300), place in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let mut packed = packed(&integers);
        let place = place.index(packed.len());
        packed[place] ^= flip;
        if let Some(column) = Column::take(&mut packed.as_slice(), integers.len()) {
            prop_assert_eq!(unpacked(&column).len(), integers.len());
        }
    }
}

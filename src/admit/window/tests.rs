//! The window against a naive model, and what its refusals say.

use proptest::prelude::*;

use super::*;
use crate::model::{RawIdentity, Span};

fn intake(times: &[i64]) -> Intake {
    let mut intake = Intake::default();
    intake.items = times.len() as u32;
    for (index, time) in times.iter().enumerate() {
        let name = Span::new(index, index + 1);
        let identity = RawIdentity { metric_type: name, metric_name: name, labels: name };
        intake.points.push(index as u32, index as u32 % 3, identity, Micros(*time), index as f64);
    }
    intake
}

#[test]
fn a_refusal_names_the_limit_it_passed() {
    let now = Micros(1_763_632_800_000_000);
    let window = Window::around(now, Duration::from_secs(86_400), Duration::from_secs(3_600));
    let mut intake = intake(&[now.0 - 86_400_000_001, now.0, now.0 + 3_600_000_001]);
    refuse_outside(&mut intake, window);
    let told: Vec<_> = intake.verdicts.listed().iter().map(|told| (told.index, told.code, &*told.message)).collect();
    assert_eq!(
        told,
        [
            (0, Code::TooOld, "timestamp is before 2025-11-19T10:00:00Z, the oldest one accepted now"),
            (2, Code::TooFarInFuture, "timestamp is after 2025-11-20T11:00:00Z, the newest one accepted now"),
        ]
    );
    assert_eq!(intake.points.items, [1]);
}

#[test]
fn both_ends_of_the_window_are_inside() {
    let mut intake = intake(&[-10, 10]);
    refuse_outside(&mut intake, Window::around(Micros(0), Duration::from_micros(10), Duration::from_micros(10)));
    assert_eq!(intake.points.len(), 2);
    assert_eq!(intake.verdicts.total(), 0);
}

#[test]
fn a_window_that_ends_before_it_begins_holds_nothing() {
    let mut intake = intake(&[i64::MIN, -1, 0, 1, i64::MAX]);
    refuse_outside(&mut intake, Window { oldest: Micros(1), newest: Micros(-1) });
    assert!(intake.points.is_empty());
}

#[test]
fn limits_beyond_the_calendar_still_refuse_in_words() {
    let mut intake = intake(&[i64::MIN, i64::MAX]);
    refuse_outside(&mut intake, Window { oldest: Micros(i64::MIN + 1), newest: Micros(i64::MAX - 1) });
    assert!(intake.points.is_empty());
    assert!(intake.verdicts.listed()[0].message.contains("is before -290308-"), "{:?}", intake.verdicts);
}

proptest! {
    #[test]
    fn what_is_left_and_what_is_refused_equal_a_naive_filter(
        times in prop::collection::vec(prop_oneof![-5..5i64, any::<i64>()], 0..200),
        now in -3..3i64, past in 0..4i64, future in 0..4i64,
    ) {
        let window = Window::around(Micros(now), Duration::from_micros(past as u64), Duration::from_micros(future as u64));
        let mut intake = intake(&times);
        refuse_outside(&mut intake, window);

        let inside = |index: &u32| (now - past..=now + future).contains(&times[*index as usize]);
        let (kept, refused): (Vec<u32>, Vec<u32>) = (0..times.len() as u32).partition(inside);
        prop_assert_eq!(&intake.points.items, &kept);
        prop_assert_eq!(intake.verdicts.total() as usize, refused.len());
        for (place, index) in kept.iter().enumerate() {
            prop_assert_eq!(intake.points.servers[place], index % 3);
            prop_assert_eq!(intake.points.identities[place].labels.start, *index);
            prop_assert_eq!(intake.points.times[place].0, times[*index as usize]);
            prop_assert_eq!(intake.points.values[place], f64::from(*index));
        }
        for (told, index) in intake.verdicts.listed().iter().zip(&refused) {
            let code = if times[*index as usize] < now - past { Code::TooOld } else { Code::TooFarInFuture };
            prop_assert_eq!((told.index, told.code), (*index, code));
        }
    }
}

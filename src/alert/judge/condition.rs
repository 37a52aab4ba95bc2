//! Whether a value is one to fire at, one that is fine, or neither. Pure; knows nothing of time.

use crate::alert::rule::Condition;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The condition holds.
    Met,
    /// It no longer holds, but has not come far enough back: whatever fires goes on firing.
    Between,
    /// Whatever fires is over.
    Over,
}

impl Verdict {
    /// NaN is never greater, less or equal, so that it ends what such a comparison found; it is not equal to anything;
    /// and it lies neither outside of a band nor within it. A value is all that is wrong where absence is watched.
    pub(super) fn of(condition: &Condition, value: f64) -> Self {
        let (is_met, is_over) = match *condition {
            Condition::Compare { compare, threshold, recovery } => {
                (compare.holds(value, threshold), !compare.holds(value, recovery))
            }
            Condition::Outside { low, high, recovery_low, recovery_high } => {
                (value < low || value > high, recovery_low <= value && value <= recovery_high)
            }
            Condition::Absent { .. } => (false, true),
        };
        match (is_met, is_over) {
            (true, _) => Self::Met,
            (false, true) => Self::Over,
            (false, false) => Self::Between,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::rule::Compare;

    #[track_caller]
    fn check(condition: &Condition, expected: &[(f64, Verdict)]) {
        for (value, verdict) in expected {
            assert_eq!(Verdict::of(condition, *value), *verdict, "{value} and {condition:?}");
        }
    }

    fn compare(compare: Compare, threshold: f64, recovery: f64) -> Condition {
        Condition::Compare { compare, threshold, recovery }
    }

    use Verdict::{Between, Met, Over};

    #[test]
    fn what_is_over_lies_beyond_the_recovery() {
        check(&compare(Compare::Greater, 90.0, 80.0), &[(90.1, Met), (90.0, Between), (80.1, Between), (80.0, Over)]);
        check(&compare(Compare::GreaterOrEqual, 90.0, 90.0), &[(90.0, Met), (89.9, Over)]);
        check(&compare(Compare::Less, 10.0, 20.0), &[(9.9, Met), (10.0, Between), (19.9, Between), (20.0, Over)]);
        check(&compare(Compare::LessOrEqual, 10.0, 10.0), &[(10.0, Met), (10.1, Over)]);
        check(&compare(Compare::Equal, 1.0, 1.0), &[(1.0, Met), (1.1, Over)]);
        check(&compare(Compare::NotEqual, 1.0, 1.0), &[(1.0, Over), (1.1, Met)]);
        let band = Condition::Outside { low: 0.0, high: 9.0, recovery_low: 1.0, recovery_high: 8.0 };
        check(
            &band,
            &[(-0.1, Met), (0.0, Between), (1.0, Over), (8.0, Over), (8.1, Between), (9.0, Between), (9.1, Met)],
        );
    }

    #[test]
    fn nan_and_infinities_are_told_apart_on_purpose() {
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        check(&compare(Compare::Greater, 90.0, 80.0), &[(nan, Over), (infinity, Met), (-infinity, Over)]);
        check(&compare(Compare::Less, 90.0, 90.0), &[(nan, Over), (infinity, Over), (-infinity, Met)]);
        check(&compare(Compare::NotEqual, 1.0, 1.0), &[(nan, Met)]);
        let band = Condition::Outside { low: 0.0, high: 9.0, recovery_low: 0.0, recovery_high: 9.0 };
        check(&band, &[(nan, Between), (infinity, Met), (-infinity, Met)]);
        check(&Condition::Absent { after: Duration::from_secs(5) }, &[(nan, Over)]);
    }
}

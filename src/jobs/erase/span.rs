//! A stretch of time, and where its hours and days end. Pure.

use crate::model::{Micros, Resolution};
use crate::rollup;

/// From `from` up to, and without, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: Micros,
    end: Micros,
}

impl Span {
    /// Both ends included.
    pub fn new(from: Micros, to: Micros) -> Self {
        let (from, to) = (from.max(Micros::FIRST), to.min(Micros::LAST));
        Self { from, end: Micros(to.0 + 1) }
    }

    pub fn is_all(self) -> bool {
        self == Self::new(Micros::FIRST, Micros::LAST)
    }

    pub(super) fn contains(self, time: Micros) -> bool {
        self.from <= time && time < self.end
    }

    /// Whether `[start, start + micros)` is in here.
    pub(super) fn covers(self, start: Micros, micros: i64) -> bool {
        self.from <= start && start.0 + micros <= self.end.0
    }

    /// Whether some of it is.
    pub(super) fn touches(self, start: Micros, micros: i64) -> bool {
        start < self.end && self.from.0 < start.0 + micros
    }

    /// Whether there are hours that are only partly in here, or days.
    pub(super) fn has_cut_ends(self) -> bool {
        self.cut(Resolution::Hour.row_micros()).next().is_some()
    }

    /// From the first to the end of the last stretch of `micros` that is wholly in here.
    pub(super) fn whole(self, micros: i64) -> (Micros, Micros) {
        (rollup::start(Micros(self.from.0 + micros - 1), micros), rollup::start(self.end, micros))
    }

    /// The beginnings of the one or two stretches of `micros` that are only partly in here.
    pub(super) fn cut(self, micros: i64) -> impl Iterator<Item = Micros> {
        let (first, last) = (rollup::start(self.from, micros), rollup::start(self.end, micros));
        let is_cut = move |start: &Micros| self.touches(*start, micros) && !self.covers(*start, micros);
        [Some(first), Some(last).filter(|last| *last != first)].into_iter().flatten().filter(is_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: i64, to: i64, whole: (i64, i64), cut: &[i64]) {
        let span = Span::new(Micros(from), Micros(to));
        let (whole_from, whole_to) = span.whole(10);
        assert_eq!((whole_from.0, whole_to.0), whole, "{from} {to}");
        assert_eq!(span.cut(10).map(|start| start.0).collect::<Vec<_>>(), cut, "{from} {to}");
    }

    #[test]
    fn a_span_is_whole_stretches_and_at_most_two_that_are_cut() {
        check(0, 9, (0, 10), &[]);
        check(10, 39, (10, 40), &[]);
        check(15, 39, (20, 40), &[10]);
        check(10, 35, (10, 30), &[30]);
        check(5, 25, (10, 20), &[0, 20]);
        check(12, 15, (20, 10), &[10]);
        check(-5, 5, (0, 0), &[-10, 0]);
    }

    #[test]
    fn all_of_time_has_no_cut_ends() {
        let all = Span::new(Micros(i64::MIN), Micros(i64::MAX));
        assert!(all.is_all() && !all.has_cut_ends());
    }
}

//! One series on its way from samples and stored buckets to windows. Pure.

use crate::model::{Bucket, Micros};
use crate::rollup;

/// Puts what comes in order of time together to windows. What a series grew since the last value before it, within what
/// was read, counts into the increase of a window, so increases add up to the total.
#[derive(Debug)]
pub(super) struct Windower {
    step_micros: i64,
    /// Whether the samples themselves are wanted.
    keeps_values: bool,
    open: Option<Bucket>,
    values: Vec<f64>,
    /// The last value before the open window.
    before: Option<f64>,
}

/// A window that is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) bucket: Bucket,
    /// Its samples, when they were wanted.
    pub(super) values: Vec<f64>,
}

impl Windower {
    pub(super) fn new(step_micros: i64, keeps_values: bool) -> Self {
        Self { step_micros, keeps_values, open: None, values: Vec::new(), before: None }
    }

    pub(super) fn add_samples(&mut self, times: &[Micros], values: &[f64], over: &mut impl FnMut(Window)) {
        let mut from = 0;
        while from < times.len() {
            let start = rollup::start(times[from], self.step_micros);
            let end = start.0.saturating_add(self.step_micros);
            let samples = times[from..].partition_point(|time| time.0 < end);
            let of_window = &values[from..from + samples];
            if let Some(bucket) = rollup::bucket(start, of_window) {
                self.add(bucket, over);
                if self.keeps_values {
                    self.values.extend(of_window.iter().copied().filter(|value| !value.is_nan()));
                }
            }
            from += samples;
        }
    }

    pub(super) fn add_buckets(&mut self, buckets: &[Bucket], over: &mut impl FnMut(Window)) {
        let step = self.step_micros;
        let start_of = |bucket: &Bucket| rollup::start(bucket.start, step);
        for of_window in buckets.chunk_by(|left, right| start_of(left) == start_of(right)) {
            if let Some(bucket) = rollup::combine(start_of(&of_window[0]), of_window) {
                self.add(bucket, over);
            }
        }
    }

    /// How many samples of the open window are kept.
    pub(super) fn held(&self) -> usize {
        self.values.len()
    }

    /// The last window is over, too.
    pub(super) fn finish(mut self, over: &mut impl FnMut(Window)) {
        self.close(over);
    }

    fn add(&mut self, bucket: Bucket, over: &mut impl FnMut(Window)) {
        match self.open {
            Some(open) if open.start == bucket.start => self.open = rollup::combine(open.start, &[open, bucket]),
            _ => {
                self.close(over);
                self.open = Some(bucket);
            }
        }
    }

    fn close(&mut self, over: &mut impl FnMut(Window)) {
        let Some(mut bucket) = self.open.take() else { return };
        let last = bucket.last;
        bucket.increase += self.before.map_or(0.0, |before| rollup::grown(before, bucket.first));
        self.before = Some(last);
        over(Window { bucket, values: std::mem::take(&mut self.values) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STEP: i64 = 10;

    /// All windows of samples that are handed over in pieces of `piece`.
    fn windows(samples: &[(i64, f64)], piece: usize) -> Vec<Window> {
        let mut windows = Vec::new();
        let mut windower = Windower::new(STEP, true);
        for piece in samples.chunks(piece) {
            let (times, values): (Vec<Micros>, Vec<f64>) =
                piece.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
            windower.add_samples(&times, &values, &mut |window| windows.push(window));
        }
        windower.finish(&mut |window| windows.push(window));
        windows
    }

    #[test]
    fn a_window_begins_with_its_start_and_ends_before_the_next() {
        let windows = windows(&[(-1, 1.0), (0, 2.0), (9, 3.0), (10, 4.0)], 1);
        let seen: Vec<_> = windows.iter().map(|window| (window.bucket.start.0, window.values.clone())).collect();
        assert_eq!(seen, [(-10, vec![1.0]), (0, vec![2.0, 3.0]), (10, vec![4.0])]);
    }

    #[test]
    fn growth_between_windows_belongs_to_the_later_one() {
        let increases: Vec<f64> = windows(&[(0, 5.0), (9, 7.0), (10, 10.0), (35, 1.0), (36, 4.0)], 2)
            .iter()
            .map(|window| window.bucket.increase)
            .collect();
        assert_eq!(increases, [2.0, 3.0, 1.0 + 3.0], "a counter that began anew has grown by what it reached");
    }

    proptest! {
        #[test]
        fn windows_do_not_depend_on_the_pieces_that_samples_came_in(
            times in prop::collection::btree_set(0_i64..200, 0..60),
            piece in 1_usize..7,
        ) {
            let samples: Vec<(i64, f64)> = times.iter().map(|time| (*time, (time * 7 % 13) as f64)).collect();
            prop_assert_eq!(windows(&samples, piece), windows(&samples, samples.len().max(1)));
        }
    }
}

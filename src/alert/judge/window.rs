//! The last samples of a series, put together over a stretch of time. Pure.
//!
//! A window is cut into [`SLOTS`] stretches, aligned to the epoch. Samples of one stretch are put together: sums, counts,
//! minima and maxima are those of all of them, of `change`, `rate` and `increase` the last one stands for its stretch.
//! They leave together, when the last of them does. So a window has a bounded number of cells however many samples come,
//! and while at most one sample comes a stretch it is exact. Where there is no [`Room`] for more cells the stretches are
//! made twice as long. NaN is passed over, as rollups do, and so are counters without an end.

use std::collections::VecDeque;
use std::time::Duration;

use crate::alert::rule::{self, Aggregate};
use crate::model::Micros;
use crate::rollup::grown;

/// Stretches of one window.
const SLOTS: i64 = 1_024;
/// What a window begins with.
const CELLS_MIN: usize = 8;
/// One more than there are stretches, because a window seldom begins where a stretch does.
const CELLS_MAX: usize = SLOTS as usize + 1;
/// The memory of all windows together.
pub(super) const WINDOWS_BYTES_MAX: usize = 64 << 20;

/// The most that one window takes.
pub(super) const WINDOW_BYTES_MAX: usize = CELLS_MAX * size_of::<Cell>();

/// What is left of the memory of all windows.
#[derive(Debug)]
pub(super) struct Room {
    cells: usize,
    cells_max: usize,
}

#[derive(Debug)]
pub(super) struct Window {
    of: rule::Window,
    cells: VecDeque<Cell>,
    /// How many of the room's cells it has.
    held: usize,
    /// How long a stretch is.
    slot_micros: i64,
    newest: Micros,
    /// The last value of a counter, and what it has grown by since the window began.
    counter: Option<(f64, f64)>,
}

/// The samples of one stretch.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Of the newest.
    time: Micros,
    /// Their sum, minimum or maximum; the last one, or what a counter had grown by at the last one.
    value: f64,
    samples: u32,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        let cells = bytes / size_of::<Cell>();
        Self { cells, cells_max: cells }
    }

    pub(super) fn used_bytes(&self) -> usize {
        (self.cells_max - self.cells) * size_of::<Cell>()
    }

    pub(super) fn give_back(&mut self, window: &Window) {
        self.cells += window.held;
    }

    fn take(&mut self, cells: usize) -> bool {
        let has_room = cells <= self.cells;
        if has_room {
            self.cells -= cells;
        }
        has_room
    }
}

impl Window {
    /// `None` when there is no room for another one.
    pub(super) fn new(of: rule::Window, room: &mut Room) -> Option<Self> {
        room.take(CELLS_MIN).then(|| Self {
            of,
            cells: VecDeque::with_capacity(CELLS_MIN),
            held: CELLS_MIN,
            slot_micros: slot_micros(of),
            newest: Micros(i64::MIN),
            counter: None,
        })
    }

    pub(super) fn is_of(&self, of: rule::Window) -> bool {
        self.of == of
    }

    /// Takes a sample in, unless it is not later than the last one.
    pub(super) fn push(&mut self, time: Micros, value: f64, room: &mut Room) {
        if time <= self.newest {
            return;
        }
        self.newest = time;
        let begin = time.0.saturating_sub(micros(self.of.over));
        while self.cells.front().is_some_and(|cell| cell.time.0 <= begin) {
            self.cells.pop_front();
        }
        if self.cells.is_empty() {
            self.slot_micros = slot_micros(self.of);
        }
        // A counter that has no end has no increase either.
        let counts = if self.of.aggregate == Aggregate::Increase { value.is_finite() } else { !value.is_nan() };
        if !counts {
            return;
        }
        let cell = Cell { time, value: self.taken(value), samples: 1 };
        let slot_micros = self.slot_micros;
        match self.cells.back_mut() {
            Some(last) if last.slot(slot_micros) == cell.slot(slot_micros) => last.merge(cell, self.of.aggregate),
            _ => self.add(cell, room),
        }
    }

    /// What the samples come to; NaN where there is none to say it by.
    pub(super) fn value(&self) -> f64 {
        let values = || self.cells.iter().map(|cell| cell.value);
        let samples = || self.cells.iter().map(|cell| f64::from(cell.samples)).sum::<f64>();
        let (Some(oldest), Some(newest)) = (self.cells.front(), self.cells.back()) else {
            return if self.of.aggregate == Aggregate::Count { 0.0 } else { f64::NAN };
        };
        match self.of.aggregate {
            Aggregate::Average => values().sum::<f64>() / samples(),
            Aggregate::Sum => values().sum(),
            Aggregate::Count => samples(),
            Aggregate::Minimum => values().fold(f64::INFINITY, f64::min),
            Aggregate::Maximum => values().fold(f64::NEG_INFINITY, f64::max),
            Aggregate::Change | Aggregate::Increase => newest.value - oldest.value,
            Aggregate::Rate => {
                let seconds = newest.time.0.saturating_sub(oldest.time.0) as f64 / Micros::PER_SECOND as f64;
                (newest.value - oldest.value) / seconds
            }
        }
    }

    /// What of a sample is kept.
    fn taken(&mut self, value: f64) -> f64 {
        if self.of.aggregate != Aggregate::Increase {
            return value;
        }
        let so_far = self.counter.filter(|_| !self.cells.is_empty());
        let total = so_far.map_or(0.0, |(before, total)| total + grown(before, value));
        self.counter = Some((value, total));
        total
    }

    fn add(&mut self, cell: Cell, room: &mut Room) {
        while self.cells.len() == self.held && !self.grow(room) {
            self.thin();
        }
        match self.cells.back_mut() {
            // The stretches may have become longer.
            Some(last) if last.slot(self.slot_micros) == cell.slot(self.slot_micros) => {
                last.merge(cell, self.of.aggregate);
            }
            _ => self.cells.push_back(cell),
        }
    }

    fn grow(&mut self, room: &mut Room) -> bool {
        let more = self.held.min(CELLS_MAX.saturating_sub(self.held));
        let has_grown = more > 0 && room.take(more);
        if has_grown {
            self.held += more;
            self.cells.reserve_exact(self.held - self.cells.len());
        }
        has_grown
    }

    /// Makes the stretches twice as long.
    fn thin(&mut self) {
        self.slot_micros = self.slot_micros.saturating_mul(2);
        let mut kept: VecDeque<Cell> = VecDeque::with_capacity(self.held);
        for cell in self.cells.drain(..) {
            match kept.back_mut() {
                Some(last) if last.slot(self.slot_micros) == cell.slot(self.slot_micros) => {
                    last.merge(cell, self.of.aggregate);
                }
                _ => kept.push_back(cell),
            }
        }
        self.cells = kept;
    }
}

impl Cell {
    fn slot(&self, slot_micros: i64) -> i64 {
        self.time.0.div_euclid(slot_micros)
    }

    /// Takes a later one in.
    fn merge(&mut self, later: Self, aggregate: Aggregate) {
        self.value = match aggregate {
            Aggregate::Average | Aggregate::Sum | Aggregate::Count => self.value + later.value,
            Aggregate::Minimum => self.value.min(later.value),
            Aggregate::Maximum => self.value.max(later.value),
            Aggregate::Change | Aggregate::Rate | Aggregate::Increase => later.value,
        };
        self.time = later.time;
        self.samples = self.samples.saturating_add(later.samples);
    }
}

fn slot_micros(of: rule::Window) -> i64 {
    (micros(of.over) / SLOTS).max(1)
}

pub(super) fn micros(of: Duration) -> i64 {
    i64::try_from(of.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(aggregate: Aggregate, over_seconds: u64, room: &mut Room) -> Window {
        Window::new(rule::Window { aggregate, over: Duration::from_secs(over_seconds) }, room).unwrap()
    }

    fn seconds(seconds: i64) -> Micros {
        Micros(1_763_632_800_000_000 + seconds * Micros::PER_SECOND)
    }

    /// What a window of ten seconds comes to after each sample.
    #[track_caller]
    fn check(aggregate: Aggregate, samples: &[(i64, f64, f64)]) {
        let mut room = Room::new(WINDOW_BYTES_MAX);
        let mut window = window(aggregate, 10, &mut room);
        for (second, value, expected) in samples {
            window.push(seconds(*second), *value, &mut room);
            let found = window.value();
            let is_same = found == *expected || (found.is_nan() && expected.is_nan());
            assert!(is_same, "{aggregate:?}: {found} and not {expected} at {second}");
        }
    }

    #[test]
    fn a_window_holds_the_samples_of_its_time_with_the_newest_and_without_the_one_at_its_beginning() {
        check(Aggregate::Count, &[(0, 1.0, 1.0), (5, 1.0, 2.0), (9, 1.0, 3.0), (10, 1.0, 3.0), (14, 1.0, 4.0)]);
        check(Aggregate::Sum, &[(0, 1.0, 1.0), (5, 2.0, 3.0), (10, 4.0, 6.0), (30, 8.0, 8.0)]);
        check(Aggregate::Average, &[(0, 1.0, 1.0), (5, 2.0, 1.5), (10, 4.0, 3.0)]);
        check(Aggregate::Minimum, &[(0, 1.0, 1.0), (5, 2.0, 1.0), (10, 4.0, 2.0)]);
        check(Aggregate::Maximum, &[(0, 9.0, 9.0), (5, 2.0, 9.0), (10, 4.0, 4.0)]);
        check(Aggregate::Change, &[(0, 1.0, 0.0), (5, 3.0, 2.0), (9, -3.0, -4.0), (10, 0.0, -3.0)]);
        check(Aggregate::Rate, &[(0, 1.0, f64::NAN), (4, 3.0, 0.5), (8, 9.0, 1.0)]);
    }

    #[test]
    fn a_counter_may_begin_again_from_nothing() {
        let samples =
            [(0, 100.0, 0.0), (3, 110.0, 10.0), (6, 4.0, 14.0), (9, 5.0, 15.0), (12, 6.0, 6.0), (40, 7.0, 0.0)];
        check(Aggregate::Increase, &samples);
    }

    #[test]
    fn nan_is_passed_over_and_infinities_are_not() {
        check(
            Aggregate::Average,
            &[(0, f64::NAN, f64::NAN), (1, 4.0, 4.0), (2, f64::NAN, 4.0), (11, f64::NAN, f64::NAN)],
        );
        check(Aggregate::Count, &[(0, f64::NAN, 0.0), (1, 4.0, 1.0)]);
        check(Aggregate::Maximum, &[(0, 1.0, 1.0), (1, f64::INFINITY, f64::INFINITY), (12, 2.0, 2.0)]);
        check(Aggregate::Increase, &[(0, 1.0, 0.0), (1, f64::INFINITY, 0.0), (2, 3.0, 2.0)]);
    }

    #[test]
    fn of_many_samples_those_of_one_stretch_are_put_together_and_none_is_lost() {
        let mut room = Room::new(WINDOW_BYTES_MAX);
        let mut window = window(Aggregate::Sum, 1024, &mut room);
        for second in 0..1024 {
            for part in 0..10 {
                window.push(Micros(seconds(second).0 + part * 100_000), 1.0, &mut room);
            }
        }
        assert_eq!((window.value(), window.cells.len()), (10_240.0, 1024));
        assert_eq!(room.used_bytes(), WINDOW_BYTES_MAX - size_of::<Cell>(), "{} cells", window.held);
        window.push(seconds(1024), 1.0, &mut room);
        assert_eq!(window.value(), 10_241.0, "a stretch leaves with its last sample");
        window.push(seconds(1025), 1.0, &mut room);
        assert_eq!(window.value(), 10_232.0);
    }

    #[test]
    fn where_there_is_no_room_stretches_become_longer_and_further_windows_are_refused() {
        let mut room = Room::new(16 * size_of::<Cell>());
        let mut one = window(Aggregate::Sum, 1000, &mut room);
        let mut two = window(Aggregate::Increase, 1000, &mut room);
        for second in 0..1000 {
            one.push(seconds(second), 1.0, &mut room);
            two.push(seconds(second), second as f64, &mut room);
        }
        assert_eq!((one.value(), room.cells), (1000.0, 0));
        assert!(two.value() > 750.0 && two.value() <= 999.0, "{}", two.value());
        assert!(one.cells.len() <= CELLS_MIN && two.cells.len() <= CELLS_MIN);
        let of = rule::Window { aggregate: Aggregate::Sum, over: Duration::from_secs(1) };
        assert!(Window::new(of, &mut room).is_none());
        room.give_back(&one);
        assert!(Window::new(of, &mut room).is_some());
    }
}

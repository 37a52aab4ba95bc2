//! The last samples of a series, put together over a stretch of time. Pure.
//!
//! A window is cut into [`SLOTS`] stretches, aligned to the epoch. Samples of one stretch are put together: sums, counts,
//! minima and maxima are those of all of them, of `change`, `rate` and `increase` the last one stands for its stretch.
//! They leave together, when the last of them does. So a window has a bounded number of cells however many samples come,
//! and while at most one sample comes a stretch it is exact. Where there is no [`Room`] for more cells the stretches are
//! made twice as long. NaN is passed over, as rollups do.

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
        if value.is_nan() {
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

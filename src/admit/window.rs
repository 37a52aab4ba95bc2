//! The time window: samples too old or too far in the future are refused, each by name, and leave the others alone.
//!
//! A window also bounds what one client can make the store do: a clock that stands at 1970 must not stretch the time
//! that readers and retention have to reckon with.

use std::time::Duration;

use crate::model::{Code, Intake, Micros, Points};

/// The times that are accepted, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub oldest: Micros,
    pub newest: Micros,
}

impl Window {
    /// From `past` before `now` until `future` after it.
    pub fn around(now: Micros, past: Duration, future: Duration) -> Self {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let oldest = Micros(now.0.saturating_sub(micros(past)));
        Self { oldest, newest: Micros(now.0.saturating_add(micros(future))) }
    }

    pub fn contains(self, time: Micros) -> bool {
        (self.oldest..=self.newest).contains(&time)
    }
}

/// Takes the points outside `window` out of `intake` and refuses their items. The order of the others is kept.
///
/// When all points are inside, which is the rule, this is one pass over one column.
pub fn refuse_outside(intake: &mut Intake, window: Window) {
    if all_inside(&intake.points.times, window) {
        return;
    }
    let Intake { points, verdicts, .. } = intake;
    let mut kept = 0;
    for place in 0..points.len() {
        let time = points.times[place];
        if window.contains(time) {
            copy(points, place, kept);
            kept += 1;
        } else if time < window.oldest {
            verdicts.refuse(points.items[place], Code::TooOld, || {
                format!("timestamp is before {}, the oldest one accepted now", window.oldest)
            });
        } else {
            verdicts.refuse(points.items[place], Code::TooFarInFuture, || {
                format!("timestamp is after {}, the newest one accepted now", window.newest)
            });
        }
    }
    points.truncate(kept);
}

/// One comparison a sample instead of two: what lies before the oldest time wraps around to a huge distance. Measured
/// at 0.3 to 0.5 ns a sample, half of what comparing both ends takes.
fn all_inside(times: &[Micros], window: Window) -> bool {
    let distance = |time: Micros| time.0.wrapping_sub(window.oldest.0) as u64;
    let furthest = distance(window.newest);
    window.oldest <= window.newest && times.iter().all(|time| distance(*time) <= furthest)
}

fn copy(points: &mut Points, from: usize, to: usize) {
    points.items[to] = points.items[from];
    points.servers[to] = points.servers[from];
    points.identities[to] = points.identities[from];
    points.times[to] = points.times[from];
    points.values[to] = points.values[from];
}

#[cfg(test)]
mod tests;

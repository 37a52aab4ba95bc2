//! Where windows are read from. Pure.
//!
//! ```text
//!            the days that rollup_1h holds      │ the days since
//! hours      rollup_1h; hours with late data    │ samples
//!            anew from what is finer            │
//! minutes    samples; rollup_1m where they are  │ samples
//! raw        gone; rollup_1h where those are    │ samples
//! ```
//!
//! Windows are `[t, t + step)` with `t` a multiple of the step, counted from the epoch in UTC. The range that was asked
//! for is widened to whole windows, and where increases are asked for a little is read from before it: so a point does not
//! depend on where the range begins.

use std::fmt;

use super::request::{AggregateRequest, Shape};
use crate::model::{Micros, Resolution};
use crate::rollup;

const HOUR: i64 = Resolution::Hour.micros();
/// Up to this range samples are read, whatever the step.
const RAW_RANGE_MAX: i64 = 24 * HOUR;

/// How long before the range the value may be that the increase of the first window begins with: a few scrapes, or the
/// hour before where windows are made of hours.
const BEFORE_MICROS: i64 = 300 * Micros::PER_SECOND;

/// How finely time is resolved by what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Raw,
    Minute,
    Hour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) tier: Tier,
    /// The coarsest buckets that the windows can be made of.
    pub(super) grain: Tier,
    /// What has been rolled up cannot answer at all.
    pub(super) needs_samples: bool,
    /// Whole windows: `[from, to)`.
    pub(super) from: Micros,
    pub(super) to: Micros,
    /// What is read: `[read_from, read_to)`. More than the windows where they need what was before.
    pub(super) read_from: Micros,
    pub(super) read_to: Micros,
}

/// A stretch of time that was answered from one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Micros,
    pub to: Micros,
    pub tier: Tier,
    /// Why points are missing, when they are.
    pub gap: Option<&'static str>,
}

/// Up to where data are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    /// Samples; there are minutes.
    pub(super) samples_to: Option<Micros>,
    /// Samples and minutes; there are hours.
    pub(super) minutes_to: Option<Micros>,
    /// Everything, of one of the series at least.
    pub(super) kept_from: Option<Micros>,
}

pub(super) fn plan(request: &AggregateRequest) -> Plan {
    let (from, to) = (request.from, request.to.max(request.from));
    let (plan, is_forced_raw) = match &request.shape {
        Shape::Thinned { .. } => {
            let past = Micros(to.0.saturating_add(1));
            let plan = Plan {
                tier: Tier::Raw,
                grain: Tier::Raw,
                needs_samples: false,
                from,
                to: past,
                read_from: from,
                read_to: past,
            };
            (plan, request.resolution == Some(Tier::Raw))
        }
        Shape::Windows(windows) => {
            let step = windows.step_micros;
            let start = rollup::start(from, step);
            // A range that holds no time has no window either, wherever it lies.
            let whole = (start, if from < to { end_of_window(to, step) } else { start });
            let grain = if windows.has_percentiles() { Tier::Raw } else { coarsest(step) };
            let before = if windows.has_increases() && from < to { before(grain) } else { 0 };
            let read = if request.is_clipped { (from, to) } else { (Micros(start.0.saturating_sub(before)), whole.1) };
            let tier = if to.0 - from.0 <= RAW_RANGE_MAX { Tier::Raw } else { grain };
            let plan = Plan {
                tier: request.resolution.unwrap_or(tier),
                grain,
                needs_samples: windows.has_percentiles(),
                from: whole.0,
                to: whole.1,
                read_from: read.0,
                read_to: read.1,
            };
            (plan, request.resolution == Some(Tier::Raw))
        }
    };
    // Windows at the ends of the calendar reach beyond what can be stored.
    let read_from = plan.read_from.max(Micros::FIRST);
    Plan {
        needs_samples: plan.needs_samples || is_forced_raw,
        read_from,
        read_to: plan.read_to.min(Micros::LAST),
        ..plan
    }
}

/// Whole buckets of `grain`.
fn before(grain: Tier) -> i64 {
    if grain == Tier::Hour { HOUR } else { BEFORE_MICROS }
}

fn end_of_window(time: Micros, step: i64) -> Micros {
    let start = rollup::start(time, step);
    if start == time { time } else { Micros(start.0.saturating_add(step)) }
}

/// The coarsest buckets that a window is made of without remainder.
fn coarsest(step: i64) -> Tier {
    let fits = |tier: &Tier| step % tier.micros() == 0;
    [Tier::Hour, Tier::Minute].into_iter().find(fits).unwrap_or(Tier::Raw)
}

impl Plan {
    /// What is read in the days that `rollup_1h` holds, and what is read since.
    pub(super) fn split(&self, days_to: Micros) -> [(Micros, Micros); 2] {
        let edge = days_to.clamp(self.read_from, self.read_to.max(self.read_from));
        [(self.read_from, edge), (edge, self.read_to)]
    }

    /// Which tier each stretch of the answer came from, in order of time.
    pub(super) fn spans(&self, gone: Gone) -> Vec<Span> {
        let hours_to = gone.minutes_to.unwrap_or(self.from).clamp(self.from, self.to);
        let minutes_to = gone.samples_to.unwrap_or(self.from).clamp(hours_to, self.to);
        let gap = |tier: Tier| match tier {
            Tier::Hour if self.grain < tier => Some("only hours are left of this time, and the question needs finer"),
            Tier::Minute if self.grain < tier => {
                Some("only minutes are left of this time, and the question needs finer")
            }
            _ => None,
        };
        let kept_from = gone.kept_from.unwrap_or(self.from).clamp(self.from, self.to);
        let mut spans: Vec<Span> = Vec::new();
        for (from, to, left) in
            [(self.from, hours_to, Tier::Hour), (hours_to, minutes_to, Tier::Minute), (minutes_to, self.to, Tier::Raw)]
        {
            let tier = left.max(self.tier);
            match spans.last_mut() {
                Some(last) if last.tier == tier => last.to = to,
                _ if from < to => spans.push(Span { from, to, tier, gap: gap(tier) }),
                _ => {}
            }
        }
        spans.into_iter().flat_map(|span| span.split(kept_from)).collect()
    }
}

impl Span {
    /// What of it is older than what is kept, and the rest.
    fn split(self, kept_from: Micros) -> impl Iterator<Item = Self> {
        const EXPIRED: Option<&str> = Some("this time is longer ago than data are kept");
        let edge = kept_from.clamp(self.from, self.to);
        let parts = [Self { to: edge, gap: EXPIRED, ..self }, Self { from: edge, ..self }];
        parts.into_iter().filter(|part| part.from < part.to)
    }
}

impl Tier {
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minute => "1m",
            Self::Hour => "1h",
        }
    }

    /// How long its buckets are; samples have no length.
    pub fn micros(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minute => Resolution::Minute.micros(),
            Self::Hour => HOUR,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Fill, Function, Windows};
    use super::*;
    use crate::model::Reach;
    use crate::query::Format;
    use crate::store::series::SeriesFilter;

    const MINUTE: i64 = 60 * Micros::PER_SECOND;

    fn request(range: i64, step_micros: i64, functions: &[Function], resolution: Option<Tier>) -> AggregateRequest {
        let functions = functions.to_vec();
        let to = Micros(480_000 * HOUR);
        AggregateRequest {
            filter: SeriesFilter::all(Reach::everything()),
            from: Micros(to.0 - range),
            to,
            shape: Shape::Windows(Windows { step_micros, functions, group_by: None, fill: Fill::None }),
            resolution,
            is_clipped: false,
            format: Format::Json,
        }
    }

    #[test]
    fn the_tier_follows_the_range_unless_the_step_or_the_client_wants_another() {
        let avg = [Function::Avg].as_slice();
        for (range, step, functions, resolution, tier) in [
            (24 * HOUR, HOUR, avg, None, Tier::Raw),
            (24 * HOUR, HOUR, avg, Some(Tier::Hour), Tier::Hour),
            (7 * 24 * HOUR, 5 * MINUTE, avg, None, Tier::Minute),
            (7 * 24 * HOUR, MINUTE / 2, avg, None, Tier::Raw),
            (30 * 24 * HOUR, 24 * HOUR, avg, None, Tier::Hour),
            (30 * 24 * HOUR, 90 * MINUTE, avg, None, Tier::Minute),
            (30 * 24 * HOUR, HOUR, avg, Some(Tier::Raw), Tier::Raw),
            (30 * 24 * HOUR, HOUR, &[Function::Percentile(95)], None, Tier::Raw),
        ] {
            let planned = plan(&request(range, step, functions, resolution));
            assert_eq!(planned.tier, tier, "{range} by {step}");
        }
    }

    #[test]
    fn a_range_is_widened_to_whole_windows_and_read_whole_unless_it_is_clipped() {
        let mut asked = request(90 * MINUTE, HOUR, &[Function::Avg], None);
        asked.to.0 += 1;
        let planned = plan(&asked);
        let whole = (Micros(479_998 * HOUR), Micros(480_001 * HOUR));
        assert_eq!((planned.from, planned.to), whole);
        assert_eq!((planned.read_from, planned.read_to), whole);
        asked.is_clipped = true;
        let planned = plan(&asked);
        assert_eq!((planned.from, planned.to), whole);
        assert_eq!((planned.read_from, planned.read_to), (asked.from, asked.to));
    }

    #[test]
    fn spans_say_where_finer_data_are_gone_and_what_is_missing_for_it() {
        let (from, to) = (Micros(0), Micros(10 * HOUR));
        let (edge, later) = (Micros(HOUR), Micros(3 * HOUR));
        let gone = Gone { samples_to: Some(later), minutes_to: Some(edge), kept_from: None };
        let planned = |tier, grain| Plan { tier, grain, needs_samples: false, from, to, read_from: from, read_to: to };
        let told = |plan: Plan, gone| -> Vec<(Micros, Micros, Tier, bool)> {
            plan.spans(gone).iter().map(|span| (span.from, span.to, span.tier, span.gap.is_none())).collect()
        };
        let raw = planned(Tier::Raw, Tier::Minute);
        let expected =
            [(from, edge, Tier::Hour, false), (edge, later, Tier::Minute, true), (later, to, Tier::Raw, true)];
        assert_eq!(told(raw, gone), expected);
        assert_eq!(told(planned(Tier::Hour, Tier::Hour), gone), [(from, to, Tier::Hour, true)]);
        assert_eq!(told(raw, Gone::default()), [(from, to, Tier::Raw, true)]);
        let expired = Gone { kept_from: Some(later), ..Gone::default() };
        assert_eq!(told(raw, expired), [(from, later, Tier::Raw, false), (later, to, Tier::Raw, true)]);
        let all = Gone { kept_from: Some(Micros(i64::MAX)), ..Gone::default() };
        assert_eq!(told(raw, all), [(from, to, Tier::Raw, false)]);
    }
}

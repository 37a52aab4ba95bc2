//! Windows of series put together to those of groups, and what is told of each. Memory is what the answer holds, and for
//! percentiles of groups the samples of their windows, both bounded.

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};

use uuid::Uuid;

use super::request::{Fill, Function, GroupKey, Windows};
use super::windows::Window;
use crate::model::{Bucket, Micros, Series};
use crate::query::QueryError;
use crate::rollup;

/// Samples that percentiles are found in at one time: those of the open window of each series that is read, and of all
/// windows of groups.
pub(super) const PERCENTILE_SAMPLES_MAX: usize = 4_000_000;

/// What the series of a group have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    pub server_id: Option<Uuid>,
    pub metric_type: Option<Box<str>>,
    pub metric_name: Option<Box<str>>,
    pub labels: Vec<(Box<str>, Box<str>)>,
}

/// The points of a group, in order of time, each with as many values as were asked for. NaN stands for none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    pub times: Vec<Micros>,
    pub values: Vec<f64>,
}

/// The windows that several series have made so far.
type Gathered = BTreeMap<Micros, Window>;

#[derive(Debug)]
pub(super) struct Groups {
    windows: Windows,
    range: (Micros, Micros),
    points_max: usize,
    groups: Vec<(Group, Points)>,
    gathered: Vec<Gathered>,
    points: usize,
    samples_held: usize,
}

impl Groups {
    /// For windows from `from` to before `to`. Answers also which group each of `series` belongs to.
    pub(super) fn new(
        windows: &Windows,
        series: &[Series],
        (from, to): (Micros, Micros),
        points_max: usize,
    ) -> Result<(Self, Vec<usize>), QueryError> {
        let mut places: HashMap<Group, usize> = HashMap::new();
        let mut groups: Vec<(Group, Points)> = Vec::new();
        let mut place_of = |group: Group| {
            let place = groups.len();
            *places.entry(group.clone()).or_insert_with(|| {
                groups.push((group, Points::default()));
                place
            })
        };
        let of_series = series.iter().map(|series| place_of(Group::of(series, windows.group_by.as_deref()))).collect();
        let gathered = if windows.group_by.is_some() { vec![Gathered::new(); groups.len()] } else { Vec::new() };
        let count = usize::try_from((to.0 - from.0) / windows.step_micros).unwrap_or(usize::MAX);
        let groups_max = if windows.fill == Fill::None { 1 } else { groups.len() };
        if count.saturating_mul(groups_max) > points_max {
            return Err(QueryError::TooManyPoints { points_max });
        }
        let (windows, range) = (windows.clone(), (from, to));
        Ok((Self { windows, range, points_max, groups, gathered, points: 0, samples_held: 0 }, of_series))
    }

    /// Takes a window of a series of the group at `place`. Without groups they come in order of time.
    pub(super) fn add(&mut self, place: usize, mut window: Window) -> Result<(), QueryError> {
        let values = window.values.len();
        let Some(gathered) = self.gathered.get_mut(place) else {
            tell(&self.windows, &mut window, &mut self.groups[place].1);
            return self.count_point();
        };
        let is_new = match gathered.entry(window.bucket.start) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.bucket = rollup::merge(&known.bucket, &window.bucket);
                known.values.append(&mut window.values);
                false
            }
            Entry::Vacant(new) => {
                new.insert(window);
                true
            }
        };
        self.samples_held += values;
        self.check_held(0)?;
        if is_new { self.count_point() } else { Ok(()) }
    }

    /// Whether so many samples more than those of gathered windows may be held.
    pub(super) fn check_held(&self, more: usize) -> Result<(), QueryError> {
        let samples_max = PERCENTILE_SAMPLES_MAX;
        if self.samples_held + more > samples_max {
            return Err(QueryError::TooManyForPercentiles { samples_max });
        }
        Ok(())
    }

    fn count_point(&mut self) -> Result<(), QueryError> {
        self.points += 1;
        let points_max = self.points_max;
        if self.points > points_max { Err(QueryError::TooManyPoints { points_max }) } else { Ok(()) }
    }

    /// The points of every window. Groups without points are left out unless windows are filled.
    pub(super) fn finish(mut self) -> Vec<(Group, Points)> {
        for (place, gathered) in self.gathered.into_iter().enumerate() {
            for mut window in gathered.into_values() {
                tell(&self.windows, &mut window, &mut self.groups[place].1);
            }
        }
        let Windows { fill, step_micros, functions, .. } = &self.windows;
        if *fill == Fill::None {
            self.groups.retain(|(_, points)| !points.times.is_empty());
            return self.groups;
        }
        let (from, to) = self.range;
        for (_, points) in &mut self.groups {
            *points = points.filled((from, to, *step_micros), functions.len(), *fill == Fill::Previous);
        }
        self.groups
    }
}

fn tell(windows: &Windows, window: &mut Window, points: &mut Points) {
    window.values.sort_unstable_by(f64::total_cmp);
    points.times.push(window.bucket.start);
    let values =
        windows.functions.iter().map(|function| function.of(&window.bucket, &window.values, windows.step_micros));
    points.values.extend(values);
}

impl Function {
    fn of(self, bucket: &Bucket, sorted: &[f64], step_micros: i64) -> f64 {
        match self {
            Self::Avg => bucket.sum / bucket.count as f64,
            Self::Min => bucket.min,
            Self::Max => bucket.max,
            Self::Sum => bucket.sum,
            Self::Count => bucket.count as f64,
            Self::First => bucket.first,
            Self::Last => bucket.last,
            Self::Rate => bucket.increase * Micros::PER_SECOND as f64 / step_micros as f64,
            Self::Increase => bucket.increase,
            Self::Percentile(percent) => percentile(sorted, percent),
        }
    }
}

/// Interpolated between the two samples around it, as PostgreSQL's `percentile_cont` does.
fn percentile(sorted: &[f64], percent: u8) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = last as f64 * f64::from(percent) / 100.0;
    let (low, high) = (sorted[place.floor() as usize], sorted[(place.ceil() as usize).min(last)]);
    // Two equal infinities have no difference.
    if low == high { low } else { low + (high - low) * place.fract() }
}

impl Points {
    fn filled(&self, (from, to, step): (Micros, Micros, i64), columns: usize, repeats: bool) -> Self {
        let mut filled = Self::default();
        let mut next = self.times.iter().zip(self.values.chunks(columns.max(1))).peekable();
        let mut value = vec![f64::NAN; columns];
        let mut time = from;
        while time < to {
            match next.next_if(|(start, _)| **start == time) {
                Some((_, values)) => value.copy_from_slice(values),
                None if !repeats => value.fill(f64::NAN),
                None => {}
            }
            filled.times.push(time);
            filled.values.extend_from_slice(&value);
            time.0 += step;
        }
        filled
    }
}

impl Group {
    /// A series on its own is a group with all that names it.
    pub(super) fn of(series: &Series, keys: Option<&[GroupKey]>) -> Self {
        let identity = &series.identity;
        let label = |(name, value): (&str, &str)| (Box::from(name), Box::from(value));
        let Some(keys) = keys else {
            return Self {
                server_id: Some(series.server_id),
                metric_type: Some(identity.metric_type().into()),
                metric_name: Some(identity.metric_name().into()),
                labels: identity.labels().iter().map(label).collect(),
            };
        };
        let mut group = Self::default();
        for key in keys {
            match key {
                GroupKey::Server => group.server_id = Some(series.server_id),
                GroupKey::MetricType => group.metric_type = Some(identity.metric_type().into()),
                GroupKey::MetricName => group.metric_name = Some(identity.metric_name().into()),
                GroupKey::Label(name) => {
                    group.labels.extend(identity.labels().get(name).map(|value| label((name, value))));
                }
            }
        }
        group.labels.sort_unstable();
        group.labels.dedup();
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_the_samples_around_them() {
        for (sorted, percent, expected) in [
            (&[1.0][..], 99, 1.0),
            (&[1.0, 2.0], 50, 1.5),
            (&[1.0, 2.0, 4.0], 50, 2.0),
            (&[0.0, 10.0, 20.0, 30.0, 40.0], 95, 38.0),
            (&[f64::INFINITY, f64::INFINITY], 50, f64::INFINITY),
        ] {
            assert_eq!(percentile(sorted, percent), expected, "p{percent} of {sorted:?}");
        }
        assert!(percentile(&[], 50).is_nan());
    }

    #[test]
    fn windows_without_samples_are_null_or_what_stood_before_them() {
        let points = Points { times: vec![Micros(10), Micros(30)], values: vec![1.0, 2.0, 3.0, 4.0] };
        let shown = |repeats| format!("{:?}", points.filled((Micros(0), Micros(50), 10), 2, repeats).values);
        assert_eq!(shown(false), "[NaN, NaN, 1.0, 2.0, NaN, NaN, 3.0, 4.0, NaN, NaN]");
        assert_eq!(shown(true), "[NaN, NaN, 1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]");
    }
}

//! Samples and what is left of expired ones, put together hour by hour. Pure.
//!
//! An hour of a series is stored as samples, or as minutes when those have expired, or as an hour alone. What came late
//! for an expired hour is samples again until it is sealed, and counts in addition.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::plan::{Gone, Tier};
use crate::model::{Bucket, Micros, Resolution, SeriesId};
use crate::query::levels::SeriesSamples;
use crate::rollup;

const HOUR: i64 = Resolution::Hour.micros();

/// Stored buckets by series, in order of time.
pub(super) type Buckets = HashMap<SeriesId, Vec<Bucket>>;

/// What is stored of a stretch of time in days that `rollup_1h` holds.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) samples: Vec<SeriesSamples>,
    pub(super) minutes: Buckets,
    pub(super) hours: Buckets,
}

/// Something of one series, later than the piece before.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Samples(Vec<Micros>, Vec<f64>),
    Buckets(Vec<Bucket>),
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Samples(times, _) => times.len(),
            Self::Buckets(buckets) => buckets.len(),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Mixed {
    pub(super) pieces: Vec<(SeriesId, Piece)>,
    pub(super) gone: Gone,
    /// Whether samples were added to buckets. If they moved there while both were read, they count twice.
    pub(super) added_up: bool,
}

/// Puts together what is in `[from, to)`. `stored` holds whole hours. `grain`: the coarsest buckets that are of use.
pub(super) fn mix(stored: Stored, grain: Tier, from: Micros, to: Micros) -> Mixed {
    let Stored { samples, minutes, hours } = stored;
    let mut mixed = Mixed::default();
    let mut samples: BTreeMap<SeriesId, SeriesSamples> =
        samples.into_iter().map(|samples| (samples.series, samples)).collect();
    let all: BTreeSet<SeriesId> = samples.keys().chain(minutes.keys()).chain(hours.keys()).copied().collect();
    let none = Vec::new();
    for series in all {
        let samples = samples.remove(&series).unwrap_or_default();
        let expired = expired(&samples, minutes.get(&series).unwrap_or(&none), hours.get(&series).unwrap_or(&none));
        let mut done = 0;
        for (start, hour) in expired {
            let (begin, end) = bounds(&samples, start);
            mixed.add_samples(series, &samples, done..begin, (from, to));
            mixed.note(start, &hour, end > begin);
            match hour.buckets(grain, &samples.values[begin..end], &samples.times[begin..end]) {
                Some((length, buckets)) => mixed.add_buckets(series, length, buckets, (from, to)),
                None => mixed.add_samples(series, &samples, begin..end, (from, to)),
            }
            done = end;
        }
        mixed.add_samples(series, &samples, done..samples.times.len(), (from, to));
    }
    mixed
}

/// What is stored of an hour whose samples have expired.
#[derive(Debug, Default)]
struct Expired<'a> {
    minutes: &'a [Bucket],
    hour: Option<Bucket>,
}

/// The hours whose samples have expired: those that have minutes, and those that had more samples than are sealed. What
/// came late is not: it may be as many as have expired.
fn expired<'a>(samples: &SeriesSamples, minutes: &'a [Bucket], hours: &[Bucket]) -> BTreeMap<Micros, Expired<'a>> {
    let mut expired: BTreeMap<Micros, Expired<'a>> = BTreeMap::new();
    let start_of = |bucket: &Bucket| rollup::start(bucket.start, HOUR);
    for of_hour in minutes.chunk_by(|left, right| start_of(left) == start_of(right)) {
        expired.insert(start_of(&of_hour[0]), Expired { minutes: of_hour, hour: None });
    }
    for hour in hours {
        // Buckets do not count what is no number, so there may be more.
        if samples.sealed_of(hour.start) < hour.count || expired.contains_key(&hour.start) {
            expired.entry(hour.start).or_default().hour = Some(*hour);
        }
    }
    expired
}

/// Where the samples of an hour are.
fn bounds(samples: &SeriesSamples, hour: Micros) -> (usize, usize) {
    let place = |time: i64| samples.times.partition_point(|known| known.0 < time);
    (place(hour.0), place(hour.0.saturating_add(HOUR)))
}

impl Expired<'_> {
    /// The hour as buckets that the windows can be made of, late samples included, and how long those are; `None` when
    /// there are only coarser ones.
    fn buckets(&self, grain: Tier, late: &[f64], late_times: &[Micros]) -> Option<(Resolution, Vec<Bucket>)> {
        match (grain, self.hour) {
            (Tier::Hour, Some(hour)) => {
                let late = rollup::bucket(hour.start, late);
                Some((Resolution::Hour, vec![late.map_or(hour, |late| rollup::merge(&hour, &late))]))
            }
            (Tier::Hour | Tier::Minute, _) if !self.minutes.is_empty() => {
                let mut late_minutes = Vec::new();
                rollup::roll_up(late_times, late, Resolution::Minute, &mut late_minutes);
                let mut all: BTreeMap<Micros, Bucket> =
                    self.minutes.iter().map(|minute| (minute.start, *minute)).collect();
                for late in late_minutes {
                    all.entry(late.start).and_modify(|kept| *kept = rollup::merge(kept, &late)).or_insert(late);
                }
                Some((Resolution::Minute, all.into_values().collect()))
            }
            _ => None,
        }
    }
}

impl Mixed {
    fn add_samples(
        &mut self,
        series: SeriesId,
        samples: &SeriesSamples,
        places: std::ops::Range<usize>,
        (from, to): (Micros, Micros),
    ) {
        let times = &samples.times[places.clone()];
        let begin = places.start + times.partition_point(|time| *time < from);
        let end = places.start + times.partition_point(|time| *time < to);
        if begin < end {
            let (times, values) = (samples.times[begin..end].to_vec(), samples.values[begin..end].to_vec());
            self.pieces.push((series, Piece::Samples(times, values)));
        }
    }

    /// A bucket that reaches into the range is part of it whole, as it cannot be divided.
    fn add_buckets(
        &mut self,
        series: SeriesId,
        length: Resolution,
        mut buckets: Vec<Bucket>,
        (from, to): (Micros, Micros),
    ) {
        buckets.retain(|bucket| bucket.start.0.saturating_add(length.micros()) > from.0 && bucket.start < to);
        if !buckets.is_empty() {
            self.pieces.push((series, Piece::Buckets(buckets)));
        }
    }

    fn note(&mut self, start: Micros, hour: &Expired<'_>, has_late: bool) {
        let end = Some(Micros(start.0.saturating_add(HOUR)));
        let to = if hour.minutes.is_empty() { &mut self.gone.minutes_to } else { &mut self.gone.samples_to };
        *to = end.max(*to);
        self.added_up |= has_late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = Resolution::Minute.micros();
    const ONE: SeriesId = SeriesId(1);

    fn bucket(start: i64, values: &[f64]) -> Bucket {
        rollup::bucket(Micros(start), values).unwrap()
    }

    fn samples(samples: &[(i64, f64)]) -> SeriesSamples {
        let (times, values) = samples.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
        SeriesSamples { series: ONE, times, values, sealed: Vec::new() }
    }

    /// The same, all of them sealed in two hours.
    fn sealed(all: &[(i64, f64)]) -> SeriesSamples {
        let in_hour = |hour: i64| all.iter().filter(|(time, _)| time.div_euclid(HOUR) == hour).count() as u64;
        SeriesSamples { sealed: vec![(Micros(0), in_hour(0)), (Micros(HOUR), in_hour(1))], ..samples(all) }
    }

    fn stored(late: &[(i64, f64)], minutes: &[Bucket], hours: &[Bucket]) -> Stored {
        let of_one = |buckets: &[Bucket]| Buckets::from([(ONE, buckets.to_vec())]);
        Stored { samples: vec![samples(late)], minutes: of_one(minutes), hours: of_one(hours) }
    }

    fn pieces(stored: Stored, grain: Tier) -> Vec<Piece> {
        mix(stored, grain, Micros(0), Micros(3 * HOUR)).pieces.into_iter().map(|(_, piece)| piece).collect()
    }

    #[test]
    fn samples_that_are_all_there_are_taken_as_they_are() {
        let all = [(1, 1.0), (2, f64::NAN), (HOUR, 2.0)];
        let stored = stored(&[], &[], &[bucket(0, &[1.0]), bucket(HOUR, &[2.0])]);
        let mixed = mix(Stored { samples: vec![sealed(&all)], ..stored }, Tier::Hour, Micros(0), Micros(HOUR));
        assert_eq!(mixed.gone, Gone::default());
        assert!(matches!(&mixed.pieces[..], [(ONE, Piece::Samples(times, _))] if *times == [Micros(1), Micros(2)]));
    }

    #[test]
    fn late_samples_are_added_to_the_minutes_of_an_expired_hour() {
        let minutes = [bucket(0, &[1.0, 5.0]), bucket(2 * MINUTE, &[7.0])];
        let late = [(MINUTE, 9.0), (2 * MINUTE + 1, 2.0), (HOUR + 1, 3.0)];
        let merged = rollup::merge(&minutes[1], &bucket(2 * MINUTE, &[2.0]));
        let expected = [
            Piece::Buckets(vec![minutes[0], bucket(MINUTE, &[9.0]), merged]),
            Piece::Samples(vec![Micros(HOUR + 1)], vec![3.0]),
        ];
        assert_eq!(pieces(stored(&late, &minutes, &[]), Tier::Minute), expected);
        let mixed = mix(stored(&late, &minutes, &[]), Tier::Minute, Micros(0), Micros(HOUR));
        assert!(mixed.added_up && mixed.gone.samples_to == Some(Micros(HOUR)));
    }

    #[test]
    fn where_only_an_hour_is_left_it_is_taken_if_it_is_fine_enough() {
        let (hour, late) = (bucket(0, &[1.0, 5.0]), [(MINUTE, 9.0)]);
        let added = rollup::merge(&hour, &bucket(MINUTE, &[9.0]));
        assert_eq!(pieces(stored(&late, &[], &[hour]), Tier::Hour), [Piece::Buckets(vec![added])]);
        let mixed = mix(stored(&late, &[], &[hour]), Tier::Minute, Micros(0), Micros(HOUR));
        assert!(matches!(&mixed.pieces[..], [(ONE, Piece::Samples(..))]));
        assert_eq!(mixed.gone, Gone { minutes_to: Some(Micros(HOUR)), ..Gone::default() });
    }
}

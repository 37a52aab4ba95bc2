//! What should be left: samples, minutes and hours in sorted maps, and retention as one reads it.

use std::collections::BTreeMap;

use millrace::codec::{rollup_row, samples_row};
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples::{self, StoredSamples};

use super::{DAY, HOUR, SERIES, World};

/// Series by their place in [`SERIES`], and times.
type Key = (usize, i64);

/// Samples of one hour: place, hour, distances from it and values.
pub(super) type OfHour<'a> = (usize, i64, &'a [(i64, f64)]);

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Model {
    pub(super) samples: BTreeMap<Key, f64>,
    pub(super) minutes: BTreeMap<Key, Bucket>,
    pub(super) hours: BTreeMap<Key, Bucket>,
}

impl Model {
    /// Adds samples of one hour, here and to the database.
    pub(super) async fn add(&mut self, world: &World, place: usize, hour: i64, offsets: &[(i64, f64)]) {
        self.add_all(world, &[(place, hour, offsets)]).await;
    }

    /// The same for many hours.
    pub(super) async fn add_all(&mut self, world: &World, hours: &[OfHour<'_>]) {
        let mut rows = Vec::new();
        for (place, hour, offsets) in hours {
            let times: Vec<Micros> = offsets.iter().map(|(offset, _)| Micros(hour + offset)).collect();
            let values: Vec<f64> = offsets.iter().map(|(_, value)| *value).collect();
            self.samples.extend(times.iter().zip(&values).map(|(time, value)| ((*place, time.0), *value)));
            rows.push(StoredSamples { series: world.series[*place], row: samples_row::encode(&times, &values) });
        }
        let mut client = world.context.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        samples::append(&transaction, &rows).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// What `day` does: rolls one day up to hours, here and in the database.
    pub(super) async fn roll_up_day(&mut self, world: &World, day: i64) {
        let mut rows = Vec::new();
        for place in 0..SERIES.len() {
            let of_day = self.samples.range((place, day)..(place, day + DAY));
            let (times, values): (Vec<_>, Vec<_>) = of_day.map(|((_, time), value)| (Micros(*time), *value)).unzip();
            let mut buckets = Vec::new();
            rollup::roll_up(&times, &values, Resolution::Hour, &mut buckets);
            self.hours.extend(buckets.iter().map(|bucket| ((place, bucket.start.0), *bucket)));
            if !buckets.is_empty() {
                let row = rollup_row::encode(&buckets, Resolution::Hour);
                rows.push(StoredRollup { series: world.series[place], row });
            }
        }
        let mut client = world.context.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        rollups::append(&transaction, Resolution::Hour, &rows).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// What keep should do.
    pub(super) fn keep(&mut self, now: Micros, days_to: Micros) {
        for (place, (.., [raw, minutes, hours])) in SERIES.iter().enumerate() {
            let before = |days: u32, edge: i64| (now.0 - i64::from(days) * DAY).div_euclid(edge) * edge;
            let raw_from = before(*raw, HOUR).min(days_to.0);
            let old: Vec<(i64, f64)> = self
                .samples
                .range((place, i64::MIN)..(place, raw_from))
                .map(|((_, time), value)| (*time, *value))
                .collect();
            self.samples.retain(|(of, time), _| *of != place || *time >= raw_from);
            let (times, values): (Vec<_>, Vec<_>) = old.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
            let mut buckets = Vec::new();
            rollup::roll_up(&times, &values, Resolution::Minute, &mut buckets);
            for late in buckets {
                let kept = self.minutes.entry((place, late.start.0));
                kept.and_modify(|kept| *kept = rollup::merge(kept, &late)).or_insert(late);
            }
            let (minutes_from, hours_from) = (before(*minutes, HOUR), before(*hours, DAY));
            self.minutes.retain(|(of, start), _| *of != place || *start >= minutes_from);
            self.hours.retain(|(of, start), _| *of != place || *start >= hours_from);
        }
    }

    /// What the database holds.
    pub(super) async fn stored(world: &World) -> Self {
        let client = world.context.database.client().await.unwrap();
        let place = |series: SeriesId| world.series.iter().position(|one| *one == series).unwrap();
        let (from, to) = (Micros(0), Micros::LAST);
        let mut model = Self::default();
        for stored in samples::read(&client, &world.series, from, to).await.unwrap() {
            let (mut times, mut values) = (Vec::new(), Vec::new());
            samples_row::decode(&stored.row, &mut times, &mut values).unwrap();
            let all = times.iter().zip(values).map(|(time, value)| ((place(stored.series), time.0), value));
            model.samples.extend(all);
        }
        for (resolution, buckets) in [(Resolution::Minute, &mut model.minutes), (Resolution::Hour, &mut model.hours)] {
            for stored in rollups::read(&client, resolution, &world.series, from, to).await.unwrap() {
                let mut decoded = Vec::new();
                rollup_row::decode(&stored.row, resolution, &mut decoded).unwrap();
                buckets.extend(decoded.into_iter().map(|bucket| ((place(stored.series), bucket.start.0), bucket)));
            }
        }
        model
    }
}

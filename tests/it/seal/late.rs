//! Samples that come after their day was rolled up, or after the samples of their hour have gone.

use millrace::codec::rollup_row;
use millrace::jobs::seal::Terms;
use millrace::jobs::{day, seal};
use millrace::model::{Bucket, Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::levels::keyed;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::partitions::{self, Monthly};

use super::levels::{DAY, HOUR, Levels, MINUTE, bits, roll_up, time};

const DAY_START: &str = "2028-02-29T00:00:00Z";

/// A day of which the first two hours have samples, rolled up.
async fn with_a_day_done() -> (Levels, i64) {
    let start = time(DAY_START);
    let mut levels = Levels::create(start + DAY + 10 * MINUTE).await;
    levels.fold(&[(1, start + MINUTE, 1.5), (1, start + 2 * MINUTE, 2.5), (1, start + HOUR, 7.0)]).await;
    seal::run(&levels.context, false).await.unwrap();
    day::run(&levels.context, false).await.unwrap();
    (levels, start)
}

/// Does what retention does to an hour: its samples become minutes.
async fn expire(levels: &Levels, series: u32, hour: i64) {
    let stored = levels.samples().await;
    let of_hour = stored.into_iter().filter(|((one, time), _)| *one == series && (hour..hour + HOUR).contains(time));
    let of_hour = of_hour.collect();
    let minutes: Vec<Bucket> = roll_up(&of_hour, Resolution::Minute).into_values().collect();
    let mut client = levels.client().await;
    partitions::make(&client, Monthly::Minutes, Micros(hour)).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let row = StoredRollup { series: SeriesId(series), row: rollup_row::encode(&minutes, Resolution::Minute) };
    rollups::append(&transaction, Resolution::Minute, &[row]).await.unwrap();
    let heads = keyed::heads(&transaction, &[(SeriesId(series), Micros(hour))]).await.unwrap();
    let keys: Vec<_> = heads.iter().map(|head| (head.series, head.start)).collect();
    keyed::delete_samples(&transaction, &keys).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn late_samples_of_a_day_that_is_done_make_its_hour_what_it_would_have_been() {
    let (mut levels, start) = with_a_day_done().await;
    levels.fold(&[(1, start, 9.0), (1, start + 2 * MINUTE, f64::NAN), (2, start + 5 * HOUR, 4.0)]).await;
    assert_eq!(seal::run(&levels.context, false).await.unwrap(), 4, "two rows of samples and two of hours");
    levels.check_hours().await;
    let hours = levels.buckets(Resolution::Hour).await;
    let expected = rollup::bucket(Micros(start), &[9.0, 1.5]).unwrap();
    assert_eq!((hours[&(1, start)], hours.len()), (expected, 3));
}

#[tokio::test]
async fn an_hour_that_loses_its_last_number_has_no_bucket_any_more() {
    let (mut levels, start) = with_a_day_done().await;
    levels.fold(&[(1, start + HOUR, f64::NAN)]).await;
    seal::run(&levels.context, false).await.unwrap();
    levels.check_hours().await;
    assert_eq!(levels.buckets(Resolution::Hour).await.len(), 1);
}

#[tokio::test]
async fn what_comes_to_an_hour_whose_samples_are_gone_is_added_to_its_minutes_and_its_hour() {
    let (mut levels, start) = with_a_day_done().await;
    expire(&levels, 1, start).await;
    let late = [(1, start + MINUTE + 1, 10.0), (1, start + 30 * MINUTE, 20.0), (1, start + HOUR + 1, 3.0)];
    levels.fold(&late).await;
    seal::run(&levels.context, false).await.unwrap();
    let times: Vec<i64> = levels.samples().await.into_keys().map(|(_, time)| time).collect();
    assert_eq!(times, [start + HOUR, start + HOUR + 1], "the next hour still has its samples and takes more");
    let minutes = levels.buckets(Resolution::Minute).await;
    let seen: Vec<_> = minutes.values().map(|bucket| (bucket.start.0 - start, bucket.count, bucket.sum)).collect();
    assert_eq!(seen, [(MINUTE, 2, 11.5), (2 * MINUTE, 1, 2.5), (30 * MINUTE, 1, 20.0)]);
    let hours = levels.buckets(Resolution::Hour).await;
    let seen: Vec<_> = hours.values().map(|hour| (hour.count, hour.sum, hour.min, hour.max, hour.last)).collect();
    assert_eq!(seen, [(4, 34.0, 1.5, 20.0, 2.5), (2, 10.0, 3.0, 7.0, 3.0)]);
}

#[tokio::test]
async fn an_hour_that_was_counted_and_has_neither_samples_nor_minutes_is_only_added_to() {
    let (mut levels, start) = with_a_day_done().await;
    expire(&levels, 1, start).await;
    levels.client().await.batch_execute("DELETE FROM rollup_1m").await.unwrap();
    levels.fold(&[(1, start + MINUTE, 10.0)]).await;
    seal::run(&levels.context, false).await.unwrap();
    assert!(levels.buckets(Resolution::Minute).await.is_empty(), "minutes that have expired do not come back in part");
    assert_eq!(levels.samples().await.len(), 1);
    assert_eq!(levels.buckets(Resolution::Hour).await[&(1, start)].count, 3);
}

#[tokio::test]
async fn samples_older_than_what_is_kept_are_rolled_up_at_once_and_a_later_day_run_leaves_them() {
    let start = time(DAY_START);
    let mut levels = Levels::create(start + DAY + 10 * MINUTE).await;
    seal::run(&levels.context, false).await.unwrap();
    let kept_from = Micros(start + HOUR);
    let terms = Terms { raw_from: &|_| kept_from, ..Terms::default() };
    let (old, young) = ((1, start + MINUTE, 1.0), (1, start + HOUR, 2.0));
    levels.fold(&[old, young]).await;
    seal::run_with(&levels.context, false, &terms).await.unwrap();
    day::run(&levels.context, false).await.unwrap();
    assert_eq!(levels.samples().await.into_keys().collect::<Vec<_>>(), [(1, start + HOUR)]);
    assert_eq!(levels.buckets(Resolution::Minute).await.len(), 1);
    let all = [old, young].map(|(series, time, value): (u32, i64, f64)| ((series, time), value.to_bits())).into();
    assert_eq!(bits(&levels.buckets(Resolution::Hour).await), bits(&roll_up(&all, Resolution::Hour)));
}

#[tokio::test]
async fn a_late_sample_that_differs_in_the_sign_of_zero_alone_corrects_its_hour() {
    let now = time("2028-03-02T00:30:00Z");
    let mut levels = Levels::create(now).await;
    let then = now - 20 * HOUR;
    levels.fold(&[(1, then, 0.0), (1, then + 1, 1.0)]).await;
    seal::run(&levels.context, false).await.unwrap();
    day::run(&levels.context, false).await.unwrap();
    levels.check_hours().await;
    levels.fold(&[(1, then, -0.0)]).await;
    seal::run(&levels.context, false).await.unwrap();
    levels.check_hours().await;
    let first =
        levels.buckets(millrace::model::Resolution::Hour).await.values().next().map(|hour| hour.first.to_bits());
    assert_eq!(first, Some((-0.0_f64).to_bits()));
}

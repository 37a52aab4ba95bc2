//! Rows that cannot be read: out of the way, kept as they were, and no neighbour suffers.

use millrace::jobs::{day, seal};
use millrace::model::Resolution;
use millrace::store::set_aside::{self, SetAside};

use super::levels::{DAY, HOUR, Levels, MINUTE, Model, bits, roll_up, time};

const NOW: &str = "2028-03-01T00:30:00Z";

/// Makes the row of a series unreadable.
async fn damage(levels: &Levels, table: &str, series: u32) {
    let change = match table {
        "recent" | "samples" => format!("UPDATE {table} SET count = -1 WHERE series = {series}"),
        _ => format!("UPDATE {table} SET buckets = B'1' WHERE series = {series}"),
    };
    levels.test.connect().await.batch_execute(&change).await.unwrap();
}

async fn found(levels: &Levels) -> Vec<SetAside> {
    set_aside::list(&levels.client().await, 100).await.unwrap()
}

/// Three samples of each of three series, an hour and more ago.
fn arrivals() -> Vec<(u32, i64, f64)> {
    let sample = |series: u32, place: i64| (series, time(NOW) - HOUR + place * MINUTE, f64::from(series) + 0.25);
    (1..=3).flat_map(|series| (0..3).map(move |place| sample(series, place))).collect()
}

fn model(arrivals: &[(u32, i64, f64)], without: u32) -> Model {
    let rest = arrivals.iter().filter(|(series, ..)| *series != without);
    rest.map(|(series, time, value)| ((*series, *time), value.to_bits())).collect()
}

#[tokio::test]
async fn a_damaged_part_does_not_keep_the_others_of_its_hour() {
    let mut levels = Levels::create(time(NOW)).await;
    levels.fold(&arrivals()).await;
    damage(&levels, "recent", 2).await;
    let packed = "SELECT record_send(recent) FROM recent WHERE series = 2";
    let client = levels.test.connect().await;
    let bytes: Vec<u8> = client.query_one(packed, &[]).await.unwrap().get(0);
    seal::run(&levels.context, true).await.unwrap();
    assert_eq!(levels.samples().await, model(&arrivals(), 2));
    assert!(levels.parts().await.is_empty());
    let kept = client.query_one("SELECT bytes, place->>'series', found_by FROM set_aside", &[]).await.unwrap();
    assert_eq!((kept.get::<_, Vec<u8>>(0), kept.get(1), kept.get(2)), (bytes, "2", "seal"));
}

#[tokio::test]
async fn a_damaged_row_of_samples_makes_room_for_what_comes_to_its_hour() {
    let mut levels = Levels::create(time(NOW)).await;
    levels.fold(&arrivals()).await;
    seal::run(&levels.context, true).await.unwrap();
    damage(&levels, "samples", 2).await;
    let late: Vec<_> = arrivals().iter().map(|(series, time, value)| (*series, time + 1, value * 2.0)).collect();
    levels.fold(&late).await;
    seal::run(&levels.context, true).await.unwrap();
    let mut expected = model(&arrivals(), 2);
    expected.extend(model(&late, 0));
    assert_eq!(levels.samples().await, expected);
    let told: Vec<_> = found(&levels).await.into_iter().map(|one| (one.level, one.found_by)).collect();
    assert_eq!(told, [("samples".to_owned(), "seal".to_owned())]);
}

#[tokio::test]
async fn a_day_is_rolled_up_from_what_can_be_read_of_it() {
    let mut levels = Levels::create(time(NOW)).await;
    levels.fold(&arrivals()).await;
    seal::run(&levels.context, false).await.unwrap();
    damage(&levels, "samples", 2).await;
    day::run(&levels.context, false).await.unwrap();
    let hours = roll_up(&model(&arrivals(), 2), Resolution::Hour);
    assert_eq!(bits(&levels.buckets(Resolution::Hour).await), bits(&hours));
    assert_eq!(found(&levels).await.len(), 1);
    assert!(levels.progress().await.days_to.0 >= time(NOW) - HOUR);
}

#[tokio::test]
async fn a_damaged_row_of_hours_is_counted_anew_from_its_samples() {
    let mut levels = Levels::create(time(NOW)).await;
    levels.fold(&arrivals()).await;
    seal::run(&levels.context, false).await.unwrap();
    day::run(&levels.context, false).await.unwrap();
    damage(&levels, "rollup_1h", 2).await;
    let late = [(2, time(NOW) - HOUR + 1, 7.5)];
    levels.fold(&late).await;
    levels.clock.set(millrace::model::Micros(time(NOW) + DAY));
    seal::run(&levels.context, false).await.unwrap();
    levels.check_hours().await;
    assert_eq!(found(&levels).await[0].level, "rollup_1h");
}

//! More than a year, day by day, over a leap day and the ends of two years.

use millrace::jobs::keep::MONTHS_AHEAD;
use millrace::model::{Micros, Month};
use millrace::store::partitions::Monthly;

use super::model::{Model, OfHour};
use super::{DAY, HOUR, SERIES, World, micros};

const FIRST_DAY: &str = "2027-12-20T00:00:00Z";
const DAYS: i64 = 385;
/// Keep runs once a day, at some time of it.
const TIME_OF_DAY: i64 = 31 * 60_000_000;
/// Samples of an hour that has been turned into minutes come once more, as after a restore by hand.
const LATE_EVERY_DAYS: i64 = 9;
/// Such an hour is as many days old: minutes of the first series, raw of the third.
const LATE_DAYS: i64 = 12;

/// The samples of a day: its first and its last microsecond, and some in between.
async fn add_day(model: &mut Model, world: &World, day: i64) {
    for place in 0..SERIES.len() {
        let value = (day / DAY % 100) as f64 + place as f64;
        let morning = [(0, value), (1, value + 0.5), (61_000_000, value - 2.0)];
        let noon = [(HOUR / 2, value / 3.0), (HOUR / 2 + 9, 7.0)];
        let night = [(60_000_000, value), (HOUR - 1, value * 2.0)];
        let hours: [OfHour<'_>; 3] =
            [(place, day, &morning), (place, day + 11 * HOUR, &noon), (place, day + 23 * HOUR, &night)];
        model.add_all(world, &hours).await;
    }
}

/// The months that should be there: from the first that has not expired for everyone, and some ahead.
fn months(earliest: Micros, now: Micros) -> Vec<String> {
    let first = Month::of(micros(FIRST_DAY)).max(Month::of(earliest));
    let ahead = Month::of(now).plus(MONTHS_AHEAD);
    (0..).map(|count| first.plus(count)).take_while(|month| *month <= ahead).map(|month| month.to_string()).collect()
}

#[tokio::test]
async fn what_is_kept_day_by_day_equals_a_naive_model_over_leap_day_and_year_end() {
    let world = World::at(FIRST_DAY).await;
    let (mut model, first) = (Model::default(), micros(FIRST_DAY).0);
    world.keep().await;
    for number in 0..DAYS {
        let (day, now) = (first + number * DAY, Micros(first + (number + 1) * DAY + TIME_OF_DAY));
        add_day(&mut model, &world, day).await;
        model.roll_up_day(&world, day).await;
        if number % LATE_EVERY_DAYS == 0 && number > LATE_DAYS {
            let hour = day - LATE_DAYS * DAY + HOUR;
            model.add(&world, 0, hour, &[(5, 1.0), (70_000_000, 2.0)]).await;
            model.add(&world, 0, hour + 10 * HOUR, &[(HOUR / 2 + 4, 9.0)]).await;
        }
        world.clock.set(now);
        let days_to = Micros(day + DAY);
        world.days_done_to(days_to).await;

        world.keep().await;

        model.keep(now, days_to);
        assert_eq!(Model::stored(&world).await, model, "on {now}");
        let earliest = world.policy.earliest(now);
        for (table, earliest) in
            [(Monthly::Samples, earliest.raw), (Monthly::Minutes, earliest.minutes), (Monthly::Hours, earliest.hours)]
        {
            assert_eq!(world.months(table).await, months(earliest, now), "{table:?} on {now}");
        }
    }
    assert!(!model.samples.is_empty() && !model.minutes.is_empty() && !model.hours.is_empty());
    assert!(world.clock_shows() > micros("2029-01-05T00:00:00Z"), "the year after the leap year has begun");
}

#[tokio::test]
async fn the_last_moment_of_a_month_is_stored_in_its_month() {
    for (last, table) in [
        ("2028-02-29T23:59:59.999999Z", "samples_2028_02"),
        ("2027-02-28T23:59:59.999999Z", "samples_2027_02"),
        ("2028-01-31T23:59:59.999999Z", "samples_2028_01"),
        ("2027-12-31T23:59:59.999999Z", "samples_2027_12"),
    ] {
        let world = World::at(last).await;
        world.keep().await;
        let mut model = Model::default();
        let hour = micros(last).0 + 1 - HOUR;
        model.add(&world, 0, hour, &[(HOUR - 1, 1.0)]).await;
        model.add(&world, 0, hour + HOUR, &[(0, 2.0)]).await;
        assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")).await, 1, "{table}");
        assert_eq!(world.count("SELECT count(*) FROM samples").await, 2);
    }
}

impl World {
    fn clock_shows(&self) -> Micros {
        self.context.clock.now()
    }
}

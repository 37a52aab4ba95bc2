//! Random arrivals, late, again, over others and out of order, across the ends of months and years, with runs of the jobs
//! in between, compared with a sorted map after every step.

use millrace::jobs::seal::Terms;
use millrace::jobs::{day, seal};
use millrace::model::{Micros, Resolution};
use millrace::rollup;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::levels::{DAY, HOUR, Levels, MINUTE, Model, SERIES, bits, roll_up, time};

/// Days on which the calendar does something.
const BEGINNINGS: [&str; 4] =
    ["2026-11-30T22:10:00Z", "2027-12-31T20:50:00Z", "2028-02-28T21:30:00Z", "2028-02-29T22:59:59.999999Z"];

/// Samples of one series, evenly spaced.
#[derive(Clone, Debug)]
struct Arrival {
    series: u32,
    /// How long before now the first one is.
    back: i64,
    step: i64,
    values: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Step {
    Fold(Vec<Arrival>),
    Wait(i64),
    Seal { force: bool },
    Day,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let back = prop_oneof![
        6 => (-30_i64..120).prop_map(|minutes| minutes * MINUTE),
        2 => (0_i64..4 * 24).prop_map(|hours| hours * HOUR),
        1 => (0_i64..70).prop_map(|days| days * DAY),
    ];
    let step = prop_oneof![Just(1), Just(7_000_000), Just(10 * MINUTE)];
    let value = prop_oneof![
        8 => (-1000_i32..1000).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => prop_oneof![Just(f64::NAN), Just(-0.0), Just(1.0 / 3.0), Just(f64::INFINITY)],
    ];
    (1..=SERIES, back, step, prop::collection::vec(value, 1..20)).prop_map(|(series, back, step, values)| Arrival {
        series,
        back,
        step,
        values,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(arrival(), 1..8).prop_map(Step::Fold),
        2 => (1_i64..90).prop_map(|minutes| Step::Wait(minutes * MINUTE)),
        1 => (1_i64..60).prop_map(|hours| Step::Wait(hours * HOUR)),
        2 => any::<bool>().prop_map(|force| Step::Seal { force }),
        1 => Just(Step::Day),
    ]
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 100, ..Config::with_cases(40) })]

    #[test]
    fn levels_hold_what_a_sorted_map_holds_whatever_comes_when(
        beginning in 0..BEGINNINGS.len(),
        steps in prop::collection::vec(step(), 4..24),
        (slice_samples_max, slice_parts_max, series_max) in (1_usize..200, 1_usize..30, 1_usize..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let terms = Terms { slice_samples_max, slice_parts_max, ..Terms::default() };
        runtime.block_on(compare(time(BEGINNINGS[beginning]), &steps, &terms, series_max));
    }
}

async fn compare(beginning: i64, steps: &[Step], terms: &Terms<'_>, series_max: usize) {
    let mut levels = Levels::create(beginning).await;
    let (mut model, mut now) = (Model::new(), beginning);
    for step in steps {
        match step {
            Step::Fold(arrivals) => {
                let samples: Vec<_> = arrivals.iter().flat_map(|arrival| arrival.samples(now)).collect();
                model.extend(samples.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())));
                levels.fold(&samples).await;
            }
            Step::Wait(micros) => {
                now += micros;
                levels.clock.set(Micros(now));
            }
            Step::Seal { force } => {
                seal::run_with(&levels.context, *force, terms).await.unwrap();
                let left = levels.parts().await;
                let closed_to = levels.progress().await.sealed_to;
                assert!(left.iter().all(|part| part.row.start >= closed_to && !force), "{closed_to:?} {left:?}");
            }
            Step::Day => drop(day::run_with(&levels.context, series_max).await.unwrap()),
        }
        assert_eq!(levels.union().await, model, "after {step:?}");
        levels.check_hours().await;
    }
    finish(&levels, &model, terms, now).await;
}

/// In the end each level is a function of the samples alone.
async fn finish(levels: &Levels, model: &Model, terms: &Terms<'_>, now: i64) {
    seal::run_with(&levels.context, true, terms).await.unwrap();
    day::run(&levels.context, true).await.unwrap();
    assert!(levels.parts().await.is_empty());
    assert_eq!(levels.samples().await, *model);
    assert!(levels.buckets(Resolution::Minute).await.is_empty(), "minutes are counted from samples");
    let today = rollup::start(Micros(now), DAY);
    assert_eq!(levels.progress().await.days_to, today);
    let whole_days: Model =
        model.iter().filter(|((_, time), _)| *time < today.0).map(|(key, bits)| (*key, *bits)).collect();
    assert_eq!(bits(&levels.buckets(Resolution::Hour).await), bits(&roll_up(&whole_days, Resolution::Hour)));
    assert_eq!(seal::run(&levels.context, true).await.unwrap(), 0, "there is nothing left to do");
    assert_eq!(day::run(&levels.context, true).await.unwrap(), 0, "there is nothing left to do");
}

impl Arrival {
    fn samples(&self, now: i64) -> impl Iterator<Item = (u32, i64, f64)> {
        // Whole seconds, so that samples meet.
        let first = now / Micros::PER_SECOND * Micros::PER_SECOND - self.back;
        self.values
            .iter()
            .enumerate()
            .map(move |(place, value)| (self.series, first + place as i64 * self.step, *value))
    }
}

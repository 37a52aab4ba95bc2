//! What is moved, against a naive model.

use millrace::store::locks::{self, Moving};

use super::*;

/// What a journal and its folds should hold: of two samples with the same series and time the one that is unfolded wins,
/// and of two unfolded ones the one of the later flush.
#[derive(Default)]
struct Model {
    folded: Samples,
    unfolded: BTreeMap<(u32, i64), (Version, f64)>,
}

type Version = (Micros, Origin, u64);

impl Model {
    fn commit(&mut self, version: Version, samples: &[Sample]) {
        // The last of a request counts.
        let last: Samples = samples.iter().map(|(series, time, value)| ((*series, *time), *value)).collect();
        for (place, value) in last {
            let known = self.unfolded.entry(place).or_insert((version, value));
            if version >= known.0 {
                *known = (version, value);
            }
        }
    }

    fn fold(&mut self) {
        let unfolded = std::mem::take(&mut self.unfolded);
        self.folded.extend(unfolded.into_iter().map(|(place, (_, value))| (place, value)));
    }

    fn all(&self) -> Samples {
        let unfolded = self.unfolded.iter().map(|(place, (_, value))| (*place, *value));
        self.folded.clone().into_iter().chain(unfolded).collect()
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Few places, so that many samples meet: late ones, equal ones, and of several hours.
    fn samples(&mut self) -> Vec<Sample> {
        let one = |random: &mut Self| {
            let time = BEGIN - random.below(12) as i64 * 900 * SECOND;
            (1 + random.below(u64::from(SERIES)) as u32, time, random.below(1_000_000) as f64 / 7.0)
        };
        (0..=self.below(20)).map(|_| one(self)).collect()
    }
}

#[tokio::test]
async fn no_fold_changes_what_is_seen_whoever_wrote_it_and_in_whatever_order() {
    let (mut store, mut model, mut random) = (Store::create().await, Model::default(), Random(7));
    // The clocks of nodes differ by up to ten seconds.
    let writers = [(origin(1, 0), 0), (origin(1, 1), 0), (origin(2, 0), -10), (origin(3, 5), 5)];
    for step in 0..250 {
        let (writer, skew) = writers[random.below(4) as usize];
        let samples = random.samples();
        let time = Micros(store.clock.now().0 + skew * SECOND);
        let sequence = store.commit_at(writer, time, &samples).await;
        model.commit((time, writer, sequence), &samples);
        store.clock.set(Micros(store.clock.now().0 + 1 + random.below(3_000_000) as i64));
        if random.below(5) == 0 {
            assert_eq!(store.seen().await, model.all(), "before the fold after step {step}");
            let (blocks_max, samples_max) = (30 + random.below(30) as usize, 1 + random.below(200));
            store.fold_within(blocks_max, samples_max, 2 + random.below(60) as usize).await;
            model.fold();
            assert_eq!(store.seen().await, model.all(), "after the fold after step {step}");
            let unfolded = "SELECT count(*) FROM journal LEFT JOIN fold_marks AS mark USING (node, lane)
                WHERE journal.sequence > coalesce(mark.sequence, 0)";
            assert_eq!(store.number(unfolded).await, 0);
        }
    }
    assert!(store.journal_rows().await < 100, "the journal was emptied on the way");
    assert!(store.number("SELECT runs FROM progress WHERE name = 'fold'").await > 50);
}

#[tokio::test]
async fn a_backlog_larger_than_a_fold_is_folded_in_several_each_in_bounded_passes() {
    let mut store = Store::create().await;
    let mut expected = Samples::new();
    for minute in 0..40 {
        let samples: Vec<Sample> =
            (1..=SERIES).map(|series| (series, BEGIN + minute * 60 * SECOND, f64::from(series))).collect();
        store.commit(origin(1, (minute % 2) as u16), &samples).await;
        store.clock.set(Micros(BEGIN + minute + 1));
        expected.extend(samples.iter().map(|(series, time, value)| ((*series, *time), *value)));
    }
    store.fold_within(1_000, 100, 30).await;
    assert_eq!(store.seen().await, expected);
    assert_eq!(store.parts().await.len(), expected.len(), "each sample once");
    let folds = store.number("SELECT count(DISTINCT fold) FROM recent").await;
    assert_eq!(folds, 5, "of eight flushes each, which are 96 samples");
    assert_eq!(store.fold().await.unwrap(), 0, "nothing is left");
    assert_eq!(store.number("SELECT runs FROM progress WHERE name = 'fold'").await, folds);
}

#[tokio::test]
async fn a_part_lies_within_an_hour_of_one_series_and_holds_all_that_a_fold_has_of_it() {
    let mut store = Store::create().await;
    for half_minute in 0..8 {
        let samples: Vec<Sample> = [1, 2].map(|series| (series, BEGIN - (4 - half_minute) * 30 * SECOND, 1.5)).to_vec();
        store.commit(origin(1, 0), &samples).await;
        store.let_pass(1);
    }
    assert_eq!(store.fold().await.unwrap(), 4);
    let rows = "SELECT count(*) FROM recent WHERE count = 4 AND fold = 1 AND slot = 0";
    assert_eq!(store.number(rows).await, 4);
}

#[tokio::test]
async fn what_was_committed_with_an_earlier_stamp_after_a_fold_is_folded_too() {
    let mut store = Store::create().await;
    store.let_pass(60);
    store.commit(origin(2, 0), &[(1, BEGIN, 1.0)]).await;
    store.fold().await.unwrap();
    // A lane that was held up: its flush was stamped long before, and is committed only now.
    store.commit_at(origin(1, 0), Micros(BEGIN), &[(1, BEGIN, 2.0), (2, BEGIN, 3.0)]).await;
    let expected = Samples::from([((1, BEGIN), 2.0), ((2, BEGIN), 3.0)]);
    assert_eq!(store.seen().await, expected);
    store.fold().await.unwrap();
    assert_eq!(store.seen().await, expected, "a winner stays the winner");
}

#[tokio::test]
async fn a_missing_number_holds_up_nothing() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &[(1, BEGIN, 1.0)]).await;
    store.sequences.insert(origin(1, 0), 9);
    store.commit(origin(1, 0), &[(2, BEGIN, 2.0)]).await;
    store.fold().await.unwrap();
    assert_eq!(store.parts().await, [(1, BEGIN, 1.0), (2, BEGIN, 2.0)]);
    assert_eq!(store.number("SELECT sequence FROM fold_marks").await, 10);
}

#[tokio::test]
async fn only_one_node_folds_at_a_time() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &[(1, BEGIN, 1.0)]).await;
    let mut other = store.context.database.client().await.unwrap();
    let transaction = other.transaction().await.unwrap();
    assert!(locks::try_lock(&transaction, Moving::Journal).await.unwrap());
    assert!(matches!(store.fold().await, Err(JobError::Elsewhere)));
    transaction.commit().await.unwrap();
    assert_eq!(store.fold().await.unwrap(), 1);
}

#[tokio::test]
async fn values_that_are_no_numbers_are_moved_bit_for_bit() {
    let mut store = Store::create().await;
    let values = [f64::NAN, f64::from_bits(0x7ff8_0000_dead_beef), -0.0, f64::INFINITY, f64::MIN_POSITIVE];
    let samples: Vec<Sample> = (0_i64..).zip(values).map(|(place, value)| (1, BEGIN + place, value)).collect();
    store.commit(origin(1, 0), &samples).await;
    store.fold().await.unwrap();
    let bits = |samples: &[Sample]| samples.iter().map(|(_, _, value)| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&store.parts().await), bits(&samples));
}

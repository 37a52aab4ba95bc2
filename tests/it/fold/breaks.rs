//! Folds that are cut off in their midst.

use super::*;
use millrace::store::set_aside;

use crate::harness::ChaosProxy;

/// Messages that a fold of these tests and its connection surely do not reach.
const MESSAGES_MAX: u32 = 2_000;

/// Has a fold go wrong after ever more messages, until one comes to its end. What is waiting stays the same.
async fn cut_off_everywhere(store: &mut Store, expected: &mut Samples) {
    let proxy = ChaosProxy::start(&store.test.config());
    const FOLDS: &str = "SELECT runs FROM progress WHERE name = 'fold'";
    let mut folds = store.number(FOLDS).await;
    for messages in 1.. {
        assert!(messages < MESSAGES_MAX, "a fold ends");
        proxy.cut_after(messages);
        let way = Database::new(proxy.config(&store.test.config()), PoolConfig::default()).unwrap();
        let context = Context { database: way, ..store.context.clone() };
        let limits = Limits { blocks_max: 1_000, samples_max: 1_000, pass_samples_max: 16 };
        let outcome = fold::run_within(&context, limits).await;
        assert_eq!(store.seen().await, *expected, "cut off after {messages} messages");
        match outcome {
            Ok(_) => {
                assert!(messages > 20, "it was cut off only {messages} times");
                return;
            }
            Err(error) => assert!(matches!(&error, JobError::Store(cause) if cause.is_unavailable()), "{error:?}"),
        }
        if store.number(FOLDS).await > folds {
            // Cut off after its commit: the next one needs something to do.
            folds += 1;
            commit(store, expected, folds).await;
        }
    }
}

/// One flush of each of two writers, in slots of the journal that can be emptied soon.
async fn commit(store: &mut Store, expected: &mut Samples, number: i64) {
    let samples: Vec<Sample> = (1..=SERIES).map(|series| (series, BEGIN + number, number as f64)).collect();
    store.commit(origin(1, 0), &samples[..6]).await;
    store.commit(origin(2, 1), &samples[6..]).await;
    expected.extend(samples.iter().map(|(series, time, value)| ((*series, *time), *value)));
    store.let_pass(31);
}

#[tokio::test]
async fn a_fold_that_is_cut_off_anywhere_leaves_the_data_whole_and_the_next_one_goes_on() {
    let (mut store, mut expected) = (Store::create().await, Samples::new());
    for number in 1000..1004 {
        commit(&mut store, &mut expected, number).await;
    }
    cut_off_everywhere(&mut store, &mut expected).await;
    store.fold().await.unwrap();
    assert_eq!(store.seen().await, expected);
    assert_eq!(store.parts().await.len(), expected.len(), "each sample was moved once");
    assert!(store.journal_rows().await < 10, "and the journal was emptied");
}

const DAMAGE: &str =
    "UPDATE journal SET block = set_byte(block, 7, 255 - get_byte(block, 7)) WHERE sequence = 2 AND part = 1";

/// Two flushes, the second one of two blocks, of which one is damaged.
async fn damaged() -> (Store, Vec<u8>) {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &[(1, BEGIN, 1.0)]).await;
    let samples: Vec<Sample> = (0..8).map(|place| (2, BEGIN + place, place as f64)).collect();
    store.commit(origin(1, 0), &samples).await;
    store.commit(origin(1, 0), &[(3, BEGIN, 3.0)]).await;
    let client = store.test.connect().await;
    client.batch_execute(DAMAGE).await.unwrap();
    let bytes = "SELECT block FROM journal WHERE sequence = 2 AND part = 1";
    let bytes = client.query_one(bytes, &[]).await.unwrap().get(0);
    (store, bytes)
}

#[tokio::test]
async fn a_damaged_block_is_set_aside_with_its_bytes_and_its_neighbours_move_on() {
    let (store, bytes) = damaged().await;
    store.fold().await.unwrap();
    let times: Vec<(u32, i64)> = store.parts().await.iter().map(|(series, time, _)| (*series, *time)).collect();
    let rest = (0..BLOCK as i64).map(|place| (2, BEGIN + place));
    let expected: Vec<(u32, i64)> = [(1, BEGIN)].into_iter().chain(rest).chain([(3, BEGIN)]).collect();
    assert_eq!(times, expected);
    let kept = "SELECT bytes, place->>'sequence', place->>'part', level, found_by, reason FROM set_aside";
    let kept = store.test.connect().await.query_one(kept, &[]).await.unwrap();
    assert_eq!(kept.get::<_, Vec<u8>>(0), bytes);
    let texts: Vec<&str> = (1..5).map(|column| kept.get(column)).collect();
    assert_eq!(texts, ["2", "1", "journal", "fold"]);
    assert!(!kept.get::<_, &str>(5).is_empty());
    assert_eq!(store.fold().await.unwrap(), 0, "once is enough");
    let client = store.context.database.client().await.unwrap();
    let told = set_aside::list(&client, 10).await.unwrap();
    assert_eq!((told.len(), told[0].level.as_str(), told[0].found_at), (1, "journal", Micros(BEGIN)));
}

#[tokio::test]
async fn when_a_thousand_rows_were_set_aside_jobs_stop_at_the_next_and_change_nothing() {
    let (store, _) = damaged().await;
    let client = store.test.connect().await;
    let full = "INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
        SELECT 'samples', '{}', '', '', now(), '' FROM generate_series(1, 1000)";
    client.batch_execute(full).await.unwrap();
    assert!(matches!(store.fold().await, Err(JobError::TooMuchDamage)));
    assert_eq!((store.parts().await.len(), store.journal_rows().await), (0, 4));
    client.batch_execute("DELETE FROM set_aside").await.unwrap();
    store.fold().await.unwrap();
    assert_eq!(store.parts().await.len(), 2 + BLOCK);
}

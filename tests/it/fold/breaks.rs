//! Folds that are cut off in their midst.

use super::*;
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

#[tokio::test]
async fn a_damaged_block_fails_the_fold_and_changes_nothing() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &[(1, BEGIN, 1.0)]).await;
    store.commit(origin(1, 0), &[(2, BEGIN, 2.0)]).await;
    let damage = "UPDATE journal SET block = set_byte(block, 7, 255 - get_byte(block, 7)) WHERE sequence = 2";
    let client = store.test.connect().await;
    client.batch_execute(damage).await.unwrap();
    assert!(matches!(store.fold().await, Err(JobError::Block(_))));
    assert_eq!(store.number("SELECT count(*) FROM recent").await, 0);
    client.batch_execute(damage).await.unwrap();
    store.fold().await.unwrap();
    assert_eq!(store.parts().await, [(1, BEGIN, 1.0), (2, BEGIN, 2.0)]);
}

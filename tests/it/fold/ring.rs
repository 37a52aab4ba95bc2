//! Emptying the journal: never what was not folded, never what other nodes may not have read, never with anyone waiting.

use millrace::store::journal::{SLOT_MICROS, SLOTS, slot};
use millrace::store::levels::fold;

use super::*;

const SLOT_SECONDS: i64 = SLOT_MICROS / SECOND;

/// One sample, of a time of its own.
fn one(number: i64) -> [Sample; 1] {
    [(1, BEGIN + number, number as f64)]
}

#[tokio::test]
async fn a_slot_is_emptied_once_all_in_it_is_folded_and_was_there_for_a_while() {
    let mut store = Store::create().await;
    store.let_pass(SLOT_SECONDS - 5);
    store.commit(origin(1, 0), &one(1)).await;
    store.let_pass(2);
    store.fold().await.unwrap();
    assert_eq!(store.journal_rows().await, 1, "writers are still at it");
    store.let_pass(5);
    store.fold().await.unwrap();
    assert_eq!(store.journal_rows().await, 1, "other nodes may not have read it");
    store.let_pass(10);
    store.fold().await.unwrap();
    assert_eq!(store.journal_rows().await, 0);
    let emptied = format!("SELECT pg_relation_size('journal_{}')", slot(Micros(BEGIN)));
    assert_eq!(store.number(&emptied).await, 0, "the space is given back");
    assert_eq!(store.seen().await.len(), 1);
}

#[tokio::test]
async fn a_slot_with_one_flush_that_is_not_folded_stays() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &one(1)).await;
    store.fold().await.unwrap();
    let late = Micros(BEGIN + 3600 * SECOND);
    for (writer, number) in [(origin(1, 0), 2), (origin(7, 0), 3)] {
        store.commit_at(writer, Micros(BEGIN + number), &one(number)).await;
        let mut client = store.context.database.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        assert!(!fold::empty_slot(&transaction, slot(Micros(BEGIN)), late).await.unwrap());
        transaction.commit().await.unwrap();
        store.fold().await.unwrap();
    }
    store.let_pass(SLOT_SECONDS);
    store.fold().await.unwrap();
    assert_eq!((store.journal_rows().await, store.seen().await.len()), (0, 3));
}

#[tokio::test]
async fn a_reader_that_holds_on_to_the_journal_is_not_waited_for_and_keeps_nobody_out() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &one(1)).await;
    let reader = store.test.connect().await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM journal").await.unwrap();
    store.let_pass(SLOT_SECONDS);
    assert_eq!(store.fold().await.unwrap(), 1, "folding is not held up");
    assert_eq!(store.journal_rows().await, 1);
    store.commit(origin(1, 0), &one(2)).await;
    reader.batch_execute("COMMIT").await.unwrap();
    store.let_pass(15);
    store.fold().await.unwrap();
    assert_eq!(store.journal_rows().await, 1, "now the old one is gone");
    assert_eq!(store.seen().await.len(), 2);
}

#[tokio::test]
async fn the_ring_turns_for_hours_and_holds_no_more_than_its_slots() {
    let mut store = Store::create().await;
    let mut rows_max = 0;
    for turn in 0..3 * SLOTS * 4 {
        store.commit(origin(1, 0), &one(turn)).await;
        store.let_pass(SLOT_SECONDS / 4);
        store.fold().await.unwrap();
        rows_max = rows_max.max(store.journal_rows().await);
    }
    assert!(rows_max <= 4 + 3, "a slot and what must stay for a while, not {rows_max} flushes");
    assert_eq!(store.seen().await.len() as i64, 3 * SLOTS * 4);
}

#[tokio::test]
async fn the_ring_turns_whatever_the_clocks_of_its_writers_say() {
    for ahead in [-70, 70, 3600] {
        let mut store = Store::create().await;
        let mut rows_max = 0;
        for turn in 0..3 * SLOTS * 4 {
            let theirs = Micros(store.clock.now().0 + ahead * SECOND);
            store.commit_at(origin(1, 0), theirs, &one(turn)).await;
            store.let_pass(SLOT_SECONDS / 4);
            store.fold().await.unwrap();
            let seen =
                store.number("SELECT count(*) FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)");
            assert_eq!(seen.await, 1, "the last one is there for other nodes to read");
            rows_max = rows_max.max(store.journal_rows().await);
        }
        assert!(rows_max <= 4 * 3, "{rows_max} flushes, with a clock that is {ahead} s ahead");
        assert_eq!(store.seen().await.len() as i64, 3 * SLOTS * 4);
    }
}

#[tokio::test]
async fn a_flush_sent_again_after_the_ring_was_emptied_is_known_for_a_copy() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &one(1)).await;
    let again = flush(origin(1, 0), 1, Micros(BEGIN), &one(1));
    store.let_pass(SLOT_SECONDS);
    // Somebody else writes another value there.
    store.commit(origin(2, 0), &[(1, BEGIN + 1, 7.0)]).await;
    store.fold().await.unwrap();
    store.let_pass(15);
    store.fold().await.unwrap();
    assert_eq!(store.journal_rows().await, 1);
    store.writer.append(&again).await.unwrap();
    let expected = Samples::from([((1, BEGIN + 1), 7.0)]);
    assert_eq!(store.seen().await, expected);
    assert_eq!(store.fold().await.unwrap(), 0, "it is at its writer's mark");
    assert_eq!(store.seen().await, expected);
}

#[tokio::test]
async fn marks_are_forgotten_a_day_after_their_writer_fell_silent_and_no_sooner() {
    let mut store = Store::create().await;
    store.commit(origin(1, 0), &one(1)).await;
    store.fold().await.unwrap();
    let marks = "SELECT count(*) FROM fold_marks";
    store.let_pass(24 * 3600 - SLOT_SECONDS);
    store.commit(origin(2, 0), &one(2)).await;
    store.fold().await.unwrap();
    assert_eq!(store.number(marks).await, 2);
    store.let_pass(2 * SLOT_SECONDS);
    store.fold().await.unwrap();
    assert_eq!(store.number("SELECT min(node)::bigint FROM fold_marks").await, 2);
    // It was only silent, and goes on.
    store.commit(origin(1, 0), &one(3)).await;
    store.fold().await.unwrap();
    assert_eq!((store.number(marks).await, store.seen().await.len()), (2, 3));
}

#[tokio::test]
async fn of_too_many_marks_those_that_moved_last_stay() {
    let store = Store::create().await;
    let many = "INSERT INTO fold_marks SELECT number, 0, 5, TIMESTAMPTZ '2025-11-20' + number * INTERVAL '1 ms'
        FROM generate_series(1, 5) AS number";
    store.test.connect().await.batch_execute(many).await.unwrap();
    let mut client = store.context.database.client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    assert_eq!(fold::forget_marks(&transaction, Micros(0), 3).await.unwrap(), 2);
    transaction.commit().await.unwrap();
    assert_eq!(store.number("SELECT min(node)::bigint FROM fold_marks").await, 3);
}

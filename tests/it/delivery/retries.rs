//! What is tried again, what is given up, in which order, and by whom.

use std::sync::Arc;

use millrace::clock::SystemClock;
use millrace::model::alert::RecipientId;
use millrace::store::alerts::{Finding, NoticeRow};
use serde_json::json;

use super::receiver::{Receiver, Reply};
use super::{add_webhook, move_on, newest_is, notices, record_on, start, tell, tell_all, worded};
use crate::harness::{TestDatabase, TestServer, eventually};
use millrace::clock::Clock;

#[tokio::test]
async fn what_was_not_taken_is_tried_again_until_it_is_and_ingest_goes_on_meanwhile() {
    let (server, clock) = start(&[]).await;
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Status(503)]).await;
    let hook = add_webhook(&server, &receiver.url("/hunter2")).await;
    tell(&server, hook, worded("Low disk")).await;
    let notice = newest_is(&server, "waiting", 1).await;
    assert_eq!(notice["last_error"], "127.0.0.1 answered 500");
    let id = server.register("a").await;
    server.ingest(&id, &json!([])).await;
    move_on(&clock, 4);
    assert_eq!(receiver.got().len(), 1, "not before its time");
    move_on(&clock, 2);
    newest_is(&server, "waiting", 2).await;
    move_on(&clock, 11);
    let notice = newest_is(&server, "delivered", 3).await;
    assert!(notice["finished_at"].is_string() && notice["next_try"].is_null(), "{notice}");
    let got = receiver.got();
    assert!(got.len() == 3 && got.iter().all(|got| got.json()["subject"] == "Low disk"), "{got:?}");
    let hook = server.get(&format!("{}/{hook}", super::RECIPIENTS)).await.json();
    assert!(hook["last_success"].is_string() && hook["last_error"] == "127.0.0.1 answered 503", "{hook}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_can_never_arrive_is_given_up_at_once_and_can_be_seen() {
    let (server, _) = start(&[]).await;
    let elsewhere = Receiver::start(&[]).await;
    let replies =
        [Reply::Status(404), Reply::Status(410), Reply::Status(400), Reply::Redirect(elsewhere.url("/secret"))];
    let receiver = Receiver::start(&replies).await;
    let hook = add_webhook(&server, &receiver.url("/")).await;
    for reason in ["answered 404", "answered 410", "answered 400", "answered 302, and redirects are not followed"] {
        tell(&server, hook, worded("a")).await;
        let notice = newest_is(&server, "failed", 1).await;
        assert_eq!(notice["last_error"], format!("127.0.0.1 {reason}"));
    }
    assert!(elsewhere.got().is_empty(), "nobody follows redirects");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_day_later_it_is_given_up() {
    let (server, clock) = start(&[]).await;
    let receiver = Receiver::start(&vec![Reply::Status(500); 9]).await;
    let hook = add_webhook(&server, &receiver.url("/")).await;
    tell(&server, hook, worded("a")).await;
    newest_is(&server, "waiting", 1).await;
    move_on(&clock, 24 * 3600);
    newest_is(&server, "failed", 2).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let (server, _) = start(&[]).await;
    let stuck = Receiver::start(&[Reply::Never, Reply::Never]).await;
    let quick = Receiver::start(&[]).await;
    let (to_stuck, to_quick) =
        (add_webhook(&server, &stuck.url("/")).await, add_webhook(&server, &quick.url("/")).await);
    tell(&server, to_stuck, worded("lost")).await;
    stuck.after(1).await;
    for number in 0..5 {
        tell(&server, to_quick, worded(&number.to_string())).await;
    }
    let got = quick.after(5).await;
    let subjects: Vec<_> = got.iter().map(|got| got.json()["subject"].clone()).collect();
    assert_eq!(subjects, ["0", "1", "2", "3", "4"]);
    assert_eq!(stuck.got().len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_notices_of_one_recipient_come_in_their_order_though_the_first_fails() {
    let (server, clock) = start(&[]).await;
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Status(500)]).await;
    let hook = add_webhook(&server, &receiver.url("/")).await;
    let one = |subject: &str| NoticeRow { to: Ok(RecipientId(hook)), event: None, body: worded(subject) };
    tell_all(&server, vec![one("firing"), one("resolved"), one("again")]).await;
    eventually("the first has failed", async || notices(&server).await[2]["last_error"].is_string()).await;
    move_on(&clock, 6);
    eventually("twice", async || receiver.got().len() == 2).await;
    eventually("it is written down", async || notices(&server).await[2]["next_try"].is_string()).await;
    move_on(&clock, 11);
    let got = receiver.after(5).await;
    let subjects: Vec<_> = got.iter().map(|got| got.json()["subject"].clone()).collect();
    assert_eq!(subjects, ["firing", "firing", "firing", "resolved", "again"]);
    newest_is(&server, "delivered", 1).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn two_nodes_deliver_each_notice_once() {
    const NOTICES: usize = 60;
    let database = TestDatabase::create().await;
    let settings = [("alerts.private_targets", "true")];
    let one = TestServer::start_on(&database.config(), &settings, Arc::new(SystemClock)).await;
    let two = TestServer::start_on(&database.config(), &settings, Arc::new(SystemClock)).await;
    let receivers = [Receiver::start(&[]).await, Receiver::start(&[]).await, Receiver::start(&[]).await];
    let mut hooks = Vec::new();
    for receiver in &receivers {
        hooks.push(add_webhook(&one, &receiver.url("/")).await);
    }
    let notice = |number: usize| {
        let to = Ok(RecipientId(hooks[number % hooks.len()]));
        NoticeRow { to, event: None, body: worded(&number.to_string()) }
    };
    let finding = Finding { notices: (0..NOTICES).map(notice).collect(), ..Finding::default() };
    record_on(&database.config(), &finding, SystemClock.now()).await;
    eventually("all are delivered", async || {
        two.get("/api/v1/alerts/notices?state=delivered").await.json()["notices"].as_array().unwrap().len() == NOTICES
    })
    .await;
    for (place, receiver) in receivers.iter().enumerate() {
        let got: Vec<usize> =
            receiver.got().iter().map(|got| got.json()["subject"].as_str().unwrap().parse().unwrap()).collect();
        let expected: Vec<usize> = (0..NOTICES).filter(|number| number % receivers.len() == place).collect();
        assert_eq!(got, expected);
    }
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

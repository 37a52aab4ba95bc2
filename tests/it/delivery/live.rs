//! What happened with alerts, as sockets are told of it: on every node, once, and to those who may see the server.

use std::sync::Arc;

use millrace::clock::{Clock, SystemClock};
use millrace::model::alert::{Event, Happened, Severity, Source};
use millrace::store::alerts::Finding;
use serde_json::json;
use uuid::Uuid;

use super::record_on;
use crate::harness::{LiveClient, TestDatabase, TestServer};
use millrace::model::ServerKey;

fn event(server: Option<(ServerKey, Uuid)>, title: &str) -> Event {
    let details = json!({ "threshold": 90 });
    Event {
        at: SystemClock.now(),
        owner: None,
        source: Source::Pack("test"),
        server,
        series: None,
        happened: Happened::Firing,
        severity: Severity::Critical,
        title: title.to_owned(),
        sample_time: None,
        value: Some(95.5),
        details: details.as_object().unwrap().clone(),
    }
}

async fn find(database: &TestDatabase, events: Vec<Event>) {
    record_on(&database.config(), &Finding { events, ..Finding::default() }, SystemClock.now()).await;
}

async fn key_of(database: &TestDatabase, id: &str) -> Option<(ServerKey, Uuid)> {
    let id = Uuid::try_parse(id).unwrap();
    let row = database.connect().await.query_one("SELECT key FROM servers WHERE id = $1", &[&id]).await.unwrap();
    Some((ServerKey(row.get(0)), id))
}

#[tokio::test]
async fn what_happened_is_told_once_on_every_node_to_those_who_asked_for_the_server() {
    let database = TestDatabase::create().await;
    let one = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    let two = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
    let (a, b) = (one.register("a").await, one.register("b").await);
    let (of_a, of_b) = (key_of(&database, &a).await, key_of(&database, &b).await);
    let mut everything = LiveClient::subscribe(&one, "").await;
    let mut only_b = LiveClient::subscribe(&two, &format!("server_id={b}")).await;
    // Until this is told, what was before may be the past to a node.
    find(&database, vec![event(of_a, "1"), event(None, "2"), event(of_b, "3")]).await;
    find(&database, vec![event(of_b, "4")]).await;
    for (title, server) in [("1", json!(a)), ("2", json!(null)), ("3", json!(b)), ("4", json!(b))] {
        let frame = everything.frame().await;
        assert_eq!((&frame["type"], &frame["data"]["title"]), (&json!("alert"), &json!(title)), "{frame}");
        assert_eq!(frame["data"]["server_id"], server);
        assert_eq!((&frame["data"]["change"], &frame["data"]["value"]), (&json!("firing"), &json!(95.5)));
        assert_eq!((&frame["data"]["pack"], &frame["data"]["threshold"]), (&json!("test"), &json!(90)));
    }
    for title in ["3", "4"] {
        let frame = only_b.frame().await;
        assert_eq!((&frame["data"]["title"], &frame["data"]["hostname"]), (&json!(title), &json!("b")), "{frame}");
    }
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_committed_after_a_later_one_is_told_all_the_same() {
    let server = TestServer::start().await;
    let database = server.database();
    let id = server.register("a").await;
    let of_a = key_of(database, &id).await;
    let mut client = LiveClient::subscribe(&server, "").await;
    let mut slow = database.connect().await;
    let insert = "INSERT INTO alert_events (at, pack, server, change, severity, title, details)
        VALUES (now(), 'test', $1, 'firing', 'info', 'slow', '{}')";
    let transaction = slow.transaction().await.unwrap();
    transaction.execute(insert, &[&of_a.unwrap().0.0]).await.unwrap();
    find(database, vec![event(of_a, "quick")]).await;
    assert_eq!(client.frame().await["data"]["title"], "quick");
    transaction.commit().await.unwrap();
    assert_eq!(client.frame().await["data"]["title"], "slow");
    find(database, vec![event(of_a, "last")]).await;
    assert_eq!(client.frame().await["data"]["title"], "last", "none is told twice");
    server.stop().await.unwrap();
}

//! Series and servers as many connections meet them at once: each exists once, limits are exact and cost no neighbour.

use std::sync::Arc;

use futures_util::future::join_all;
use hyper::{Method, StatusCode};
use millrace::clock::SystemClock;
use serde_json::{Value, json};

use crate::harness::agents::metric;
use crate::harness::{TestDatabase, TestServer, eventually, export};

const TIME_US: i64 = 1_763_632_800_000_000;

async fn start(settings: &[(&str, &str)]) -> TestServer {
    TestServer::start_with(settings, Arc::new(SystemClock)).await
}

/// One sample of each of `series`, by name, at `time`.
fn metrics_of(series: std::ops::Range<u32>, time: i64) -> Vec<Value> {
    series.map(|number| metric(&format!("m{number}"), TIME_US + time, f64::from(number))).collect()
}

async fn series_count(server: &TestServer) -> u64 {
    server.get("/api/v1/series?limit=10000").await.json()["count"].as_u64().unwrap()
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn series_that_many_connections_bring_at_once_are_made_once_and_counted_once() {
    let server = start(&[("catalog.series_per_server_max", "50"), ("catalog.series_max", "100")]).await;
    let (one, two) = (server.register("one").await, server.register("two").await);
    let requests = (0..10).map(|time| {
        let (server, id) = (&server, if time % 2 == 0 { &one } else { &two });
        async move { server.ingest(id, &json!(metrics_of(0..50, time))).await }
    });
    for answer in join_all(requests).await {
        assert_eq!((&answer["inserted"], &answer["failed"]), (&json!(50), &json!(0)), "{answer}");
    }
    assert_eq!(series_count(&server).await, 100);
    assert_eq!(export(server.address).await.len(), 10 * 50);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_server_is_refused_new_series_by_name_and_keeps_its_old_ones() {
    let server = start(&[("catalog.series_per_server_max", "10")]).await;
    let (full, other) = (server.register("full").await, server.register("other").await);
    let answer = server.ingest(&full, &json!(metrics_of(0..15, 0))).await;
    assert_eq!((&answer["inserted"], &answer["failed"]), (&json!(10), &json!(5)));
    assert_eq!(codes(&answer), ["too_many_series"; 5]);
    let mut mixed = metrics_of(8..12, 1);
    for mut neighbour in metrics_of(0..10, 1) {
        neighbour["server_id"] = json!(other);
        mixed.push(neighbour);
    }
    let answer = server.ingest(&full, &json!(mixed)).await;
    assert_eq!((&answer["inserted"], codes(&answer)), (&json!(2 + 10), vec!["too_many_series"; 2]), "{answer}");
    let only_new = json!({ "server_id": full, "metrics": metrics_of(20..21, 2) });
    assert_eq!(server.post("/api/v1/ingest", &only_new).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(series_count(&server).await, 20);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn series_that_could_not_be_made_take_no_room() {
    let settings = [("catalog.series_per_server_max", "10"), ("database.statement_timeout", "100ms")];
    let server = start(&settings).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!(metrics_of(0..1, 0))).await;
    let client = server.database().connect().await;
    client.batch_execute("BEGIN; LOCK TABLE series IN SHARE MODE").await.unwrap();
    let all = json!({ "server_id": id, "metrics": metrics_of(0..10, 1) });
    for _ in 0..2 {
        let answer = server.post("/api/v1/ingest", &all).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.header("retry-after").is_some());
    }
    client.batch_execute("COMMIT").await.unwrap();
    let answer = server.post("/api/v1/ingest", &all).await;
    assert_eq!((answer.status, &answer.json()["inserted"]), (StatusCode::OK, &json!(10)), "{answer:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn however_labels_are_spelt_the_series_is_one_also_after_a_restart() {
    let database = TestDatabase::create().await;
    let spellings = [
        r#""metric_type":"cpu","metric_name":"usage","labels":{"core":"0","zone":"ä/b"}"#,
        r#""metric_type":"cpu","metric_name":"usage","labels":{"zone":"ä/b","core":"0"}"#,
        r#""labels" : { "zone" : "\u00e4\/b" , "core":"0" } , "metric_name":"usage","metric_type":"cpu""#,
        r#""metric_type":"\u0063pu","metric_name":"us\u0061ge","labels":{"\u0063ore":"\u0030","zone":"ä/b"}"#,
    ];
    for restart in 0..2 {
        let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
        let id = server.register("host").await;
        for (place, spelling) in spellings.iter().enumerate() {
            let time = crate::harness::agents::rfc3339(TIME_US + place as i64);
            let body = format!(r#"{{"server_id":"{id}","metrics":[{{{spelling},"value":1,"timestamp":"{time}"}}]}}"#);
            let answer = server.post_text("/api/v1/ingest", &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{restart}: {answer:?}");
        }
        assert_eq!(series_count(&server).await, 1);
        assert_eq!(export(server.address).await.len(), spellings.len());
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_server_is_unknown_and_its_neighbours_are_stored() {
    let server = start(&[]).await;
    let (gone, here) = (server.register("gone").await, server.register("here").await);
    server.ingest(&gone, &json!(metrics_of(0..3, 0))).await;
    let path = format!("/api/v1/servers/{gone}");
    assert_eq!(server.send(Method::DELETE, &path, &[], b"").await.status, StatusCode::NO_CONTENT);
    let mut mixed = metrics_of(0..4, 1);
    mixed[1]["server_id"] = json!(here);
    let answer = server.ingest(&gone, &json!(mixed)).await;
    assert_eq!((&answer["inserted"], codes(&answer)), (&json!(1), vec!["unknown_server"; 3]), "{answer}");
    let found = export(server.address).await;
    assert!(found.len() == 1 && found.keys().all(|(server_id, _, _)| *server_id == here), "{found:?}");
    let again = server.register("gone").await;
    assert_ne!(again, gone);
    server.ingest(&again, &json!(metrics_of(0..3, 2))).await;
    assert_eq!(export(server.address).await.len(), 4);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_deleted_on_another_node_gets_no_new_series_and_soon_no_samples() {
    let server = start(&[]).await;
    let other_node = TestServer::start_on(&server.database().config(), &[], Arc::new(SystemClock)).await;
    let id = server.register("host").await;
    server.ingest(&id, &json!(metrics_of(0..1, 0))).await;
    let path = format!("/api/v1/servers/{id}");
    assert_eq!(other_node.send(Method::DELETE, &path, &[], b"").await.status, StatusCode::NO_CONTENT);
    let new = json!({ "server_id": id, "metrics": metrics_of(1..2, 1) });
    for _ in 0..2 {
        let answer = server.post("/api/v1/ingest", &new).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert_eq!(codes(&answer.json()), ["unknown_server"]);
    }
    // Known series do not ask PostgreSQL; that their server is gone is noticed at the next look at the catalog's revision.
    let id = server.register("another").await;
    server.ingest(&id, &json!(metrics_of(0..1, 0))).await;
    let path = format!("/api/v1/servers/{id}");
    assert_eq!(other_node.send(Method::DELETE, &path, &[], b"").await.status, StatusCode::NO_CONTENT);
    let known = json!({ "server_id": id, "metrics": metrics_of(0..1, 1) });
    eventually("the server is not known any more", async || {
        server.post("/api/v1/ingest", &known).await.status == StatusCode::BAD_REQUEST
    })
    .await;
    other_node.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn servers_beyond_the_limit_are_refused_and_known_ones_register_again_also_after_a_restart() {
    let database = TestDatabase::create().await;
    for _ in 0..2 {
        let settings = [("catalog.servers_max", "2")];
        let server = TestServer::start_on(&database.config(), &settings, Arc::new(SystemClock)).await;
        let third = json!({ "hostname": "third", "ip_address": "10.0.0.3" });
        let (one, two) = (server.register("one").await, server.register("two").await);
        let answer = server.post("/api/v1/servers", &third).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
        assert_eq!((server.register("one").await, server.register("two").await), (one, two));
        server.stop().await.unwrap();
    }
    let server = TestServer::start_on(&database.config(), &[("catalog.servers_max", "2")], Arc::new(SystemClock)).await;
    let third = json!({ "hostname": "third", "ip_address": "10.0.0.3" });
    assert_eq!(
        server.post("/api/v1/servers", &third).await.status,
        StatusCode::FORBIDDEN,
        "as the first after a start"
    );
    server.stop().await.unwrap();
}

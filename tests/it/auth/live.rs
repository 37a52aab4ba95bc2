//! What reaches a socket: samples of servers within the reach of who opened it, whenever they appear. And its end.

use std::sync::Arc;

use millrace::clock::SystemClock;
use serde_json::json;

use super::{CLOSED, ask, is_taken, sample, start};
use crate::harness::callers::{Callers, Scope};
use crate::harness::{LiveClient, TestServer, eventually};
use crate::people;

/// Opens a session with a token and waits until so many are subscribed.
async fn open(server: &TestServer, token: &str, query: &str, sessions: u32, admin: &str) -> LiveClient {
    let client = LiveClient::open(server, &format!("token={token}&{query}")).await;
    eventually("the session is subscribed", async || {
        let metrics = super::get(server, admin, "/-/metrics").await;
        metrics.text().contains(&format!("millrace_live_sessions {sessions}\n"))
    })
    .await;
    client
}

#[tokio::test]
async fn no_sample_of_a_server_out_of_reach_gets_to_a_socket() {
    let (server, callers) = start().await;
    let admin = callers.token_of(callers.user("admin", Some("admin")).await).await;
    let viewer = callers.token_of(callers.user("viewer", Some("viewer")).await).await;
    let (ann, bob) = (callers.user("ann", None).await, callers.user("bob", None).await);
    let (fleet, of_ann) =
        (callers.server(None, "web", None).await.to_string(), callers.server(Some(ann), "laptop", None).await);
    // One that was known before, sought out by its id, and sent what is stored as well.
    assert!(is_taken(&server, &admin, &of_ann.to_string(), 1.0).await);
    let query = format!("since=2020-01-01T00:00:00Z&server_id={of_ann},{fleet}");
    let ann_token = callers.token_of(ann).await;
    let mut seen_by_viewer = open(&server, &viewer, &query, 1, &admin).await;
    let mut seen_by_ann = open(&server, &ann_token, "since=2020-01-01T00:00:00Z", 2, &admin).await;
    let mut seen_by_bob = open(&server, &callers.token_of(bob).await, "batch=true", 3, &admin).await;
    assert_eq!(seen_by_ann.value().await, 1.0);
    // And those that appear later.
    let of_bob = callers.server(Some(bob), "desktop", None).await;
    for (value, id) in [(2.0, of_ann.to_string()), (3.0, of_bob.to_string()), (4.0, fleet.clone())] {
        assert!(is_taken(&server, &admin, &id, value).await);
    }
    assert_eq!(seen_by_viewer.value().await, 4.0);
    assert_eq!(seen_by_ann.value().await, 2.0);
    assert_eq!(seen_by_bob.value().await, 3.0);
    // A server that changes hands is seen by its new owner, and not by the one before.
    callers.hand_over(of_ann, Some(bob)).await;
    let mut value = 10.0;
    eventually("bob has the server", async || {
        value += 1.0;
        assert!(is_taken(&server, &admin, &of_ann.to_string(), value).await);
        assert!(is_taken(&server, &admin, &of_bob.to_string(), 1000.0).await);
        seen_by_bob.value().await == value
    })
    .await;
    let stayed = callers.server(Some(ann), "phone", None).await;
    assert!(is_taken(&server, &admin, &of_ann.to_string(), 2000.0).await);
    assert!(is_taken(&server, &admin, &stayed.to_string(), 3000.0).await);
    let mut last = 0.0;
    while last < 1000.0 {
        last = seen_by_ann.value().await;
    }
    assert_eq!(last, 3000.0, "what came after it changed hands is not ann's to see");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_of_a_server_out_of_reach_gets_to_no_socket() {
    let (server, callers) = start().await;
    let admin = callers.token_of(callers.user("admin", Some("admin")).await).await;
    let viewer = callers.token_of(callers.user("viewer", Some("viewer")).await).await;
    let ann = callers.user("ann", None).await;
    let (fleet, of_ann) = (callers.server(None, "web", None).await, callers.server(Some(ann), "laptop", None).await);
    let mut seen = open(&server, &viewer, "", 1, &admin).await;
    for id in [of_ann, fleet] {
        let body = json!({ "server_id": id, "processes": [] }).to_string();
        let answer = ask(&server, &admin, hyper::Method::POST, "/api/v1/ingest/processes", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert_eq!(seen.frame().await["data"]["server_id"], json!(fleet));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn sessions_end_when_their_token_is_revoked_and_others_go_on() {
    let (server, callers) = start().await;
    let user = callers.user("admin", Some("admin")).await;
    let (admin, revoked) = (callers.token_of(user).await, callers.token_of(user).await);
    let server_id = callers.server(None, "web", None).await;
    let demoted_user = callers.user("editor", Some("editor")).await;
    let demoted = callers.token(Some(demoted_user), &["read"], &Scope::default()).await;
    let mut ends = open(&server, &revoked, "", 1, &admin).await;
    let mut stays = open(&server, &admin, "", 2, &admin).await;
    let mut narrowed = open(&server, &demoted, "", 3, &admin).await;
    callers.revoke(&revoked).await;
    assert_eq!(ends.close_code().await, Some(1008));
    callers.client.execute("UPDATE users SET role = NULL WHERE id = $1", &[&demoted_user]).await.unwrap();
    assert_eq!(narrowed.close_code().await, Some(1008), "who reaches less than before has to come again");
    let body = sample(&server_id.to_string(), "user", 7.0).to_string();
    assert_eq!(ask(&server, &admin, hyper::Method::POST, "/api/v1/ingest", &body).await.status, 200);
    assert_eq!(stays.value().await, 7.0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn sessions_of_people_end_when_they_may_not_sign_in_any_more() {
    let settings = [CLOSED, &[("registration", "open")]].concat();
    let server = TestServer::start_with(&settings, Arc::new(SystemClock)).await;
    let callers = Callers::of(server.database()).await;
    let admin = callers.token_of(callers.user("admin", Some("admin")).await).await;
    people::register(&server, "ann").await;
    let (access, _) = people::tokens(&server, "ann").await;
    let mut ends = open(&server, &access, "", 1, &admin).await;
    callers.client.execute("UPDATE users SET is_active = false WHERE username = 'ann'", &[]).await.unwrap();
    assert_eq!(ends.close_code().await, Some(1008));
    server.stop().await.unwrap();
}

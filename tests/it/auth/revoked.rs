//! What is refused is refused by every node within a second, and nobody is believed when PostgreSQL cannot be asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use millrace::auth::Minted;
use millrace::auth::minted::Kind;
use millrace::clock::SystemClock;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use super::{CLOSED, knock, text};
use crate::harness::identity::{person, token};
use crate::harness::{TestCluster, TestDatabase, TestServer, eventually};
use millrace::shutdown::Tasks;

const SOON: Duration = Duration::from_secs(1);

async fn node(database: &TestDatabase) -> TestServer {
    TestServer::start_on(&database.config(), CLOSED, Arc::new(SystemClock)).await
}

/// Knocks until it is refused. What is sent more than a second after `revoked` must be.
async fn assert_refused_soon(node: &TestServer, token: &str, revoked: Instant) {
    loop {
        let sent = Instant::now();
        match knock(node, token).await {
            StatusCode::UNAUTHORIZED => return,
            status => assert_eq!(status, StatusCode::OK),
        }
        assert!(sent.duration_since(revoked) < SOON, "let in {:?} after it was revoked", sent.duration_since(revoked));
    }
}

/// Adds an endpoint and answers its path and its token.
async fn endpoint(node: &TestServer, admin: &str, name: &str) -> (String, String) {
    let new = json!({ "hostname": name, "machine_id": name });
    let added = node.ask(Method::POST, "/api/v1/endpoints", admin, &new).await.json();
    (format!("/api/v1/endpoints/{}", added["id"]), text(&added["token"]).to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_way_a_token_is_revoked_the_other_node_refuses_it_within_a_second() {
    let database = TestDatabase::create().await;
    let (one, two) = (node(&database).await, node(&database).await);
    let client = database.connect().await;
    let admin = token(&client, None, &["administer"]).await;
    for way in ["revoke", "disable", "rotate", "stop", "delete"] {
        let ann = person(&client, way, Some("editor")).await;
        let anns = token(&client, Some(ann), &["ingest"]).await;
        let (path, endpoints) = endpoint(&one, &admin, way).await;
        let used = if ["revoke", "disable"].contains(&way) { anns } else { endpoints };
        for node in [&one, &two] {
            assert_eq!(knock(node, &used).await, StatusCode::OK, "{way}");
        }
        let ask = async |method: Method, path: &str, body: &Value| {
            let answer = one.ask(method, path, &admin, body).await;
            assert!(answer.status.is_success(), "{way}: {answer:?}");
        };
        match way {
            "revoke" => {
                let row = client.query_one("SELECT max(id) FROM tokens WHERE created_by = $1", &[&ann]).await.unwrap();
                ask(Method::DELETE, &format!("/api/v1/tokens/{}", row.get::<_, i64>(0)), &Value::Null).await;
            }
            "disable" => {
                client.execute("UPDATE users SET is_active = false WHERE id = $1", &[&ann]).await.unwrap();
            }
            "rotate" => ask(Method::POST, &format!("{path}/rotate"), &Value::Null).await,
            "stop" => ask(Method::PATCH, &path, &json!({ "is_active": false })).await,
            _ => ask(Method::DELETE, &path, &Value::Null).await,
        }
        let revoked = Instant::now();
        tokio::join!(assert_refused_soon(&two, &used, revoked), assert_refused_soon(&one, &used, revoked));
    }
    for node in [one, two] {
        node.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_new_token_is_good_at_once_on_every_node() {
    let database = TestDatabase::create().await;
    let (one, two) = (node(&database).await, node(&database).await);
    let admin = token(&database.connect().await, None, &["administer"]).await;
    for number in 0..10 {
        let (_, token) = endpoint(&one, &admin, &format!("host{number}")).await;
        assert_eq!((knock(&two, &token).await, knock(&one, &token).await), (StatusCode::OK, StatusCode::OK));
    }
    for node in [one, two] {
        node.stop().await.unwrap();
    }
}

#[tokio::test]
async fn without_postgresql_nobody_is_believed_for_long_and_afterwards_all_goes_on() {
    let mut cluster = TestCluster::own().await;
    let config = cluster.config("postgres");
    let server = TestServer::start_on(&config, CLOSED, Arc::new(SystemClock)).await;
    let tasks = Tasks::default();
    let observer = {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        drop(tasks.spawn("test connection", connection));
        add_observer(&client).await
    };
    let ask = async || server.ask(Method::GET, "/-/metrics", &observer, &Value::Null).await.status;
    assert_eq!(ask().await, StatusCode::OK);
    cluster.kill();
    cluster.exited().await;
    let gone = Instant::now();
    loop {
        let sent = Instant::now();
        match ask().await {
            StatusCode::SERVICE_UNAVAILABLE => break,
            status => assert_eq!(status, StatusCode::OK),
        }
        assert!(sent.duration_since(gone) < SOON, "believed for {:?}", sent.duration_since(gone));
    }
    cluster.restart().await.unwrap();
    eventually("PostgreSQL can be asked again", async || ask().await == StatusCode::OK).await;
    server.stop().await.unwrap();
}

async fn add_observer(database: &Client) -> String {
    token(database, None, &["observe"]).await
}

#[tokio::test]
async fn made_up_tokens_do_not_keep_good_ones_out() {
    let database = TestDatabase::create().await;
    let server = node(&database).await;
    let good = token(&database.connect().await, None, &["ingest"]).await;
    let made_up: Vec<Minted> = (0..200).map(|_| Minted::new(Kind::Endpoint).unwrap()).collect();
    let flood = futures_util::future::join_all(made_up.iter().map(|minted| knock(&server, minted.reveal())));
    let (answers, let_in) = tokio::join!(flood, knock(&server, &good));
    assert!(answers.iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_eq!(let_in, StatusCode::OK);
    server.stop().await.unwrap();
}

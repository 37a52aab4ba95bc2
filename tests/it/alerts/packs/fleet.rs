//! Endpoints that are silent, and disks that are nearly full.

use super::*;

/// Channels that lead nowhere: only what is to be sent is looked at.
const CHANNELS: &str = r#"{"email":{"enabled":true,"to":["ops@example.org"]},
    "webhook":{"enabled":true,"url":"http://127.0.0.1:9/hook"},
    "discord":{"enabled":false,"webhook_url":"http://127.0.0.1:9/discord"}}"#;

fn snapshot(hostname: &str, seconds: i64, free_pct: f64) -> Value {
    json!({
        "schema_version": "1.0", "timestamp_utc": Micros((NOW_SECONDS + seconds) * 1_000_000).to_string(),
        "interval_seconds": 50, "host": { "hostname": hostname, "machine_id": format!("id of {hostname}") },
        "disk": { "physical": [], "volumes": [
            { "mount": "C:\\", "total_bytes": 511_101_108_224_u64, "free_bytes": 40_888_088_657_u64, "free_pct": free_pct },
            { "mount": "D:\\", "total_bytes": 100, "free_bytes": 90, "free_pct": 90 }] },
    })
}

/// Adds an endpoint and answers its number and what it shows.
async fn endpoint(server: &TestServer, hostname: &str) -> (i64, String) {
    let new = json!({ "hostname": hostname, "machine_id": format!("id of {hostname}") });
    let added = server.post("/api/v1/endpoints", &new).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    (added.json()["id"].as_i64().unwrap(), format!("Bearer {}", added.json()["token"].as_str().unwrap()))
}

async fn look(server: &TestServer) {
    let ran = server.post("/api/v1/jobs/fleet/run", &json!({})).await;
    assert_eq!(ran.status, StatusCode::OK, "{ran:?}");
}

/// What was found, oldest first.
async fn found(scene: &Scene) -> Vec<String> {
    scene.texts("SELECT title FROM alert_events ORDER BY id").await
}

#[tokio::test]
async fn a_silent_endpoint_is_missed_after_its_grace_and_told_of_again_after_the_pause() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    set(&server, "alerts", &json!({ "notify": serde_json::from_str::<Value>(CHANNELS).unwrap() })).await;
    let (id, token) = endpoint(&server, "PC-07").await;
    endpoint(&server, "PC-08").await;
    look(&server).await;
    report(&server, "/api/v1/ingest", &[("authorization", &token)], &snapshot("PC-07", 0, 50.0)).await;
    let shown = get(&server, &format!("/api/v1/endpoints/{id}")).await;
    assert_eq!(shown["last_interval_seconds"], 50);
    let missed = "Heartbeat missing: PC-07".to_owned();
    // Grace is three intervals, the pause fifteen minutes.
    for (seconds, times) in [(150, 0), (151, 1), (152, 1), (151 + 899, 1), (151 + 900, 2), (151 + 901, 2)] {
        scene.after_seconds(seconds);
        look(&server).await;
        assert_eq!(found(&scene).await, vec![missed.clone(); times], "after {seconds} s");
    }
    let message = format!(
        "{{\n  \"endpoint_id\": {id},\n  \"hostname\": \"PC-07\",\n  \"machine_id\": \"id of PC-07\",\n  \
         \"last_seen\": \"2026-11-20T12:00:00+00:00\",\n  \"grace_seconds\": 150\n}}"
    );
    let bodies = "SELECT concat_ws('|', channel ->> 'kind', body ->> 'subject', body ->> 'message')
        FROM alert_notices ORDER BY id";
    let each = ["email", "webhook"].map(|kind| format!("{kind}|{missed}|{message}"));
    assert_eq!(scene.texts(bodies).await, [each.clone(), each].concat());

    report(&server, "/api/v1/ingest", &[("authorization", &token)], &snapshot("PC-07", 1_100, 50.0)).await;
    scene.after_seconds(1_052 + 150);
    look(&server).await;
    assert_eq!(found(&scene).await.len(), 2, "it reports again, and nobody is told that it does");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn full_disks_of_all_endpoints_are_told_of_together_and_again_after_the_pause() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    set(&server, "alerts", &json!({ "dedup_minutes": 1, "heartbeat_min_grace_seconds": 600_000 })).await;
    let mut ids = Vec::new();
    for (hostname, free_pct) in [("PC-07", 8.0), ("PC-08", 10.0), ("PC-09", 9.5)] {
        let (id, token) = endpoint(&server, hostname).await;
        report(&server, "/api/v1/ingest", &[("authorization", &token)], &snapshot(hostname, 0, free_pct)).await;
        ids.push(id);
    }
    for (seconds, times) in [(0, 1), (59, 1), (60, 2)] {
        scene.after_seconds(seconds);
        look(&server).await;
        assert_eq!(found(&scene).await, vec!["Low disk space detected"; times], "after {seconds} s");
    }
    let details = scene.texts("SELECT details::text FROM alert_events ORDER BY id LIMIT 1").await;
    let volume = |id: i64, hostname: &str, free_pct: f64| {
        json!({ "endpoint_id": id, "hostname": hostname, "machine_id": format!("id of {hostname}"), "mount": "C:\\",
            "free_pct": free_pct, "free_bytes": 40_888_088_657_u64, "total_bytes": 511_101_108_224_u64 })
    };
    let expected = json!({ "threshold_free_pct": 10.0,
        "volumes": [volume(ids[0], "PC-07", 8.0), volume(ids[2], "PC-09", 9.5)] });
    assert_eq!(serde_json::from_str::<Value>(&details[0]).unwrap(), expected);
    assert_eq!(scene.texts("SELECT key FROM alert_keys").await, ["lowdisk:global:100"]);

    let path = format!("/api/v1/endpoints/{}", ids[0]);
    let deactivated = server.send(Method::PATCH, &path, &[], br#"{"is_active":false}"#).await;
    assert_eq!(deactivated.status, StatusCode::OK, "{deactivated:?}");
    scene.after_seconds(120);
    look(&server).await;
    let listed = "SELECT json_array_length(details -> 'volumes')::text FROM alert_events ORDER BY id";
    assert_eq!(scene.texts(listed).await, ["2", "2", "1"], "an endpoint that may not report is not looked at");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn two_nodes_tell_of_the_same_once_and_nobody_of_anything_when_alerts_are_off() {
    let scene = Scene::new().await;
    let (one, two) = (scene.server().await, scene.server().await);
    let (_, token) = endpoint(&one, "PC-07").await;
    report(&one, "/api/v1/ingest", &[("authorization", &token)], &snapshot("PC-07", 0, 1.0)).await;
    set(&one, "alerts", &json!({ "enabled": false })).await;
    scene.after_seconds(200);
    look(&one).await;
    assert_eq!(found(&scene).await, Vec::<String>::new());
    set(&one, "alerts", &json!({})).await;
    tokio::join!(look(&one), look(&two));
    look(&two).await;
    assert_eq!(found(&scene).await, ["Heartbeat missing: PC-07", "Low disk space detected"]);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_silenced_is_found_all_the_same_and_nobody_is_told() {
    let scene = Scene::new().await;
    let server = scene.server().await;
    let notify = json!({ "webhook": { "enabled": true, "url": "http://127.0.0.1:9/hook" } });
    set(&server, "alerts", &json!({ "notify": notify })).await;
    for hostname in ["PC-07", "PC-08"] {
        let (_, token) = endpoint(&server, hostname).await;
        report(&server, "/api/v1/ingest", &[("authorization", &token)], &snapshot(hostname, 0, 1.0)).await;
    }
    let silence = "INSERT INTO alert_silences (comment, matcher, starts_at, ends_at, created_at)
        SELECT '', json_build_object('servers', json_build_array(id)), $1::text::timestamptz,
            $1::text::timestamptz + interval '1 hour', now() FROM servers WHERE hostname = 'PC-07'";
    scene.database.connect().await.execute(silence, &[&NOW]).await.unwrap();
    let told = "SELECT body ->> 'subject' FROM alert_notices ORDER BY id";
    scene.after_seconds(200);
    look(&server).await;
    let all = ["Heartbeat missing: PC-07", "Heartbeat missing: PC-08", "Low disk space detected"];
    assert_eq!(found(&scene).await, all);
    assert_eq!(scene.texts(told).await, all[1..], "one silence is not about all of the fleet");
    scene.after_seconds(3_600);
    look(&server).await;
    assert_eq!(scene.texts(told).await, [&all[1..], &all].concat());
    server.stop().await.unwrap();
}

//! Bodies that are refused as a whole: 400 with the byte where it shows, and nothing is stored.

use hyper::StatusCode;

use super::super::{NOW, assert_refused, body_of, metric};
use super::{INGEST, start_with_one};

#[tokio::test]
async fn a_document_that_is_no_json_is_refused_at_the_byte_where_that_shows() {
    let (server, id) = start_with_one().await;
    let good = metric("cpu", "usage", 1.0, NOW).to_string();
    let head = format!(r#"{{"server_id":"{id}","metrics":["#);
    for (body, offset) in [
        (format!("{head}{good}"), head.len() + good.len()),
        (format!("{head}{good},"), head.len() + good.len() + 1),
        (format!("{head}{good},]}}"), head.len() + good.len() + 1),
        (format!("{head}{good}]}} x"), head.len() + good.len() + 3),
        (format!("{head}{{\"value\":01}}]}}"), head.len() + 10),
        (format!("{head}{{\"value\":.5}}]}}"), head.len() + 9),
        (format!("{head}{{\"value\":tru}}]}}"), head.len() + 12),
        (format!("{head}{{\"labels\":{}", "[".repeat(100_000)), head.len() + 10 + 61),
        (format!("{head}{{\"metric_type\":\"a\nb\"}}]}}"), head.len() + 17),
    ] {
        let answer = server.post_text(INGEST, &body).await;
        let message = body_of(&answer, StatusCode::BAD_REQUEST)["error"].as_str().unwrap().to_owned();
        assert!(message.ends_with(&format!(" at byte {offset}")), "{message} instead of {offset}: {body:.200}");
    }
    assert_eq!(body_of(&server.get("/api/v1/metrics").await, StatusCode::OK)["count"], 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_document_whose_own_fields_cannot_be_used_is_told_which() {
    let (server, id) = start_with_one().await;
    for (body, message) in [
        ("{}", "server_id or metrics is required at byte 2"),
        ("[]", "Expected a single snapshot object or a one-element array"),
        ("7", "the document must be an object, got a number at byte 0"),
        (r#"{"server_id":7}"#, "server_id must be a string, got a number at byte 13"),
        (r#"{"server_id":"server01"}"#, "server_id must be a UUID, got \"server01\" at byte 13"),
        (r#"{"metrics":{}}"#, "metrics must be an array, got an object at byte 11"),
        (r#"{"metrics":[],"metrics":[]}"#, "metrics appears twice at byte 14"),
    ] {
        assert_refused(&server.post_text(INGEST, body).await, StatusCode::BAD_REQUEST, message);
    }
    let twice = format!(r#"{{"server_id":"{id}","server_id":"{id}"}}"#);
    assert_refused(
        &server.post_text(INGEST, &twice).await,
        StatusCode::BAD_REQUEST,
        "server_id appears twice at byte 52",
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_body_is_an_end_of_file_as_the_source_system_says() {
    let (server, _) = start_with_one().await;
    for body in ["", " \r\n\t"] {
        assert_refused(&server.post_text(INGEST, body).await, StatusCode::BAD_REQUEST, "EOF");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused_wherever_it_stands() {
    let (server, id) = start_with_one().await;
    let good = metric("cpu", "usage", 1.0, NOW).to_string();
    for (place, bad) in [("cpu", &b"c\xff\x70"[..]), ("usage", b"\xc0\xafxyz"), ("2025", b"\xed\xa0\x8020")] {
        let at = good.find(place).unwrap();
        let mut body = format!(r#"{{"server_id":"{id}","metrics":["#).into_bytes();
        body.extend_from_slice(&good.as_bytes()[..at]);
        body.extend_from_slice(bad);
        body.extend_from_slice(&good.as_bytes()[at + place.len()..]);
        body.extend_from_slice(b"]}");
        let answer = server.send(hyper::Method::POST, INGEST, &[], &body).await;
        assert!(body_of(&answer, StatusCode::BAD_REQUEST)["error"].is_string(), "{place}");
    }
    assert_eq!(body_of(&server.get("/api/v1/metrics").await, StatusCode::OK)["count"], 0);
    server.stop().await.unwrap();
}

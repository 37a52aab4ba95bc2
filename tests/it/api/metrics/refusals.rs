//! What cannot be asked, and how the answer says so.

use hyper::StatusCode;

use super::super::{assert_refused, start, start_with};
use super::METRICS;

#[tokio::test]
async fn a_parameter_that_cannot_be_understood_is_named() {
    let server = start().await;
    for (query, message) in [
        ("server_id=server01", "server_id \"server01\" is not a UUID"),
        ("from=yesterday", "from \"yesterday\" is neither an RFC 3339 time nor one relative to now, such as -1h"),
        ("to=2025-11-20", "to \"2025-11-20\" is neither an RFC 3339 time nor one relative to now, such as -1h"),
        ("limit=0", "limit \"0\" is not a number from 1 to 10000"),
        ("limit=10001", "limit \"10001\" is not a number from 1 to 10000"),
        ("limit=-1", "limit \"-1\" is not a number from 1 to 10000"),
        ("limit=ten", "limit \"ten\" is not a number from 1 to 10000"),
        ("order=up", "order \"up\" is neither asc nor desc"),
        ("format=xml", "format \"xml\" is none of json, ndjson, csv"),
        ("cursor=0123", "the cursor is not one that this server gave"),
        ("metric_name=a%00b", "metric_name holds a NUL character"),
        ("metric_type=%00", "metric_type holds a NUL character"),
        ("label.a=%00", "label.a holds a NUL character"),
        ("label.%00=a", "the name of a parameter holds a NUL character"),
        ("label.a=1&label.b=1&label.a=2", "label.a is given twice"),
        ("metric_name=%ff", "the query holds a broken percent escape or text that is not UTF-8"),
        ("metric_name=%4", "the query holds a broken percent escape or text that is not UTF-8"),
    ] {
        let answer = server.get(&format!("{METRICS}?{query}")).await;
        assert_refused(&answer, StatusCode::BAD_REQUEST, message);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_cannot_begin_has_a_status_of_its_own() {
    let server = start().await;
    for format in ["ndjson", "csv"] {
        for (query, message) in
            [("limit=0", "limit \"0\" is not a number from 1 up"), ("order=up", "order \"up\" is neither asc nor desc")]
        {
            let answer = server.get(&format!("{METRICS}?format={format}&{query}")).await;
            assert_refused(&answer, StatusCode::BAD_REQUEST, message);
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn lists_are_bounded() {
    let server = start().await;
    let many = |count: usize| vec!["a"; count].join(",");
    let answer = server.get(&format!("{METRICS}?metric_name={}", many(1_000))).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = server.get(&format!("{METRICS}?metric_name={}", many(1_001))).await;
    assert_refused(&answer, StatusCode::BAD_REQUEST, "metric_name lists more than 1000 values");
    let answer = server.get(&format!("{METRICS}?{}", "a=1&".repeat(257))).await;
    assert_refused(&answer, StatusCode::BAD_REQUEST, "the query has more than 256 parameters");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_question_about_too_many_series_is_not_answered_in_part() {
    let server = start_with(&[("query.series_max", "100")]).await;
    let id = server.register("server01").await;
    let metrics: Vec<_> = (0..101).map(|name| super::metric("cpu", &name.to_string(), 1.0, super::NOW)).collect();
    server.ingest(&id, &metrics.into()).await;
    let answer = server.get(&format!("{METRICS}?metric_type=cpu")).await;
    assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "more than 100 series match, ask for fewer");
    server.stop().await.unwrap();
}

//! NDJSON and CSV: the same samples as the JSON pages, streamed to the end.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::{metric, start};
use super::{METRICS, page};
use crate::harness::TestServer;

/// More than one page of what a stream reads at a time.
const SAMPLES: usize = 12_345;

async fn start_with_many() -> TestServer {
    let server = start().await;
    let id = server.register("server01").await;
    let item = |number: usize| {
        let (second, millisecond) = (number / 1000, number % 1000);
        let mut item =
            metric("cpu", "usage", number as f64 / 8.0, &format!("2025-11-20T10:00:{second:02}.{millisecond:03}Z"));
        item["labels"] = json!({ "text": format!("a,b \"{}\"\n", number % 3) });
        item
    };
    let metrics: Vec<Value> = (0..SAMPLES).map(item).collect();
    server.ingest(&id, &metrics.into()).await;
    server
}

/// Every row, page by page.
async fn pages(server: &TestServer, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut found = page(server, &format!("{query}&limit=10000&cursor={cursor}")).await;
        let Value::Array(mut more) = found["metrics"].take() else { panic!("{found}") };
        rows.append(&mut more);
        let Some(next) = found.get("next_cursor") else { return rows };
        cursor = next.as_str().unwrap().to_owned();
    }
}

async fn stream(server: &TestServer, query: &str, content_type: &str) -> String {
    let answer = server.get(&format!("{METRICS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}");
    assert_eq!(answer.header("content-type"), Some(content_type), "{query}");
    answer.text().to_owned()
}

#[tokio::test]
async fn ndjson_is_the_rows_of_all_pages_one_a_line() {
    let server = start_with_many().await;
    for order in ["asc", "desc"] {
        let query = format!("order={order}");
        let text = stream(&server, &format!("{query}&format=ndjson"), "application/x-ndjson").await;
        assert!(text.ends_with('\n'));
        let streamed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(streamed.len(), SAMPLES);
        assert!(streamed == pages(&server, &query).await, "{order}: the rows differ from those of the pages");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn csv_is_the_rows_of_all_pages_under_a_head() {
    let server = start_with_many().await;
    let text = stream(&server, "order=asc&format=csv", "text/csv; charset=utf-8").await;
    let mut expected = "server_id,metric_type,metric_name,value,labels,timestamp\n".to_owned();
    for row in pages(&server, "order=asc").await {
        let plain = |name: &str| row[name].as_str().unwrap();
        let labels = row["labels"].to_string().replace('"', "\"\"");
        let value = row["value"].as_number().unwrap();
        expected.push_str(&format!(
            "{},{},{},{value},\"{labels}\",{}\n",
            plain("server_id"),
            plain("metric_type"),
            plain("metric_name"),
            plain("timestamp"),
        ));
    }
    assert!(text == expected, "the rows differ from those of the pages");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_limit_and_a_cursor_hold_for_streams_too() {
    let server = start_with_many().await;
    let whole = stream(&server, "format=ndjson", "application/x-ndjson").await;
    let lines: Vec<&str> = whole.lines().collect();
    let limited = stream(&server, "format=ndjson&limit=11000", "application/x-ndjson").await;
    assert!(limited.lines().eq(lines[..11_000].iter().copied()), "a stream is not bound by the size of a page");
    let cursor = page(&server, "limit=5").await["next_cursor"].as_str().unwrap().to_owned();
    let rest = stream(&server, &format!("format=ndjson&cursor={cursor}"), "application/x-ndjson").await;
    assert!(rest.lines().eq(lines[5..].iter().copied()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_of_nothing_is_empty_or_only_a_head() {
    let server = start().await;
    assert_eq!(stream(&server, "format=ndjson", "application/x-ndjson").await, "");
    let head = "server_id,metric_type,metric_name,value,labels,timestamp\n";
    assert_eq!(stream(&server, "format=csv", "text/csv; charset=utf-8").await, head);
    server.stop().await.unwrap();
}

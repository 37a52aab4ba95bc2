//! Health, readiness and self-metrics.

use std::collections::BTreeSet;

use hyper::StatusCode;
use serde_json::json;

use super::{NOW, metric, start};

#[tokio::test]
async fn a_running_server_is_healthy_and_ready() {
    let server = start().await;
    for (path, text) in [("/-/healthy", "healthy\n"), ("/-/ready", "ready\n")] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, text));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn self_metrics_are_open_metrics_of_every_stage() {
    let server = start().await;
    let id = server.register("server01").await;
    let sent = json!([metric("cpu", "usage", 1.0, NOW), metric("cpu", "usage", 1.0, "yesterday")]);
    server.ingest(&id, &sent).await;
    assert_eq!(server.get("/api/v1/metrics").await.status, StatusCode::OK);
    let answer = server.get("/-/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(content_type));
    let families = parse_open_metrics(answer.text());
    for group in ["build", "http", "ingest", "journal", "catalog", "live", "query", "postgres"] {
        let prefix = format!("millrace_{group}");
        assert!(families.iter().any(|family| family.starts_with(&prefix)), "{group}: {families:?}");
    }
    assert!(families.iter().any(|family| family.starts_with("process_")), "{families:?}");
    for line in [
        "millrace_ingest_samples_committed_total 1",
        "millrace_ingest_items_refused_total{code=\"invalid_timestamp\"} 1",
        "millrace_ingest_requests_total 1",
        "millrace_query_requests_total 1",
        "millrace_catalog_servers 1",
        "millrace_catalog_series 1",
        "millrace_http_requests_total{route=\"/api/v1/ingest\",method=\"POST\",status=\"2xx\"} 1",
    ] {
        assert!(answer.text().lines().any(|found| found == line), "{line} is not in\n{}", answer.text());
    }
    server.stop().await.unwrap();
}

/// Reads a page strictly enough to fail where a scraper would, and answers the names of its families.
fn parse_open_metrics(page: &str) -> BTreeSet<&str> {
    let lines = page.strip_suffix("# EOF\n").expect("a page ends with its mark");
    let mut families = BTreeSet::new();
    let mut family = "";
    for line in lines.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (kind, name, text) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            assert!(kind != "TYPE" || ["counter", "gauge", "histogram", "info"].contains(&text), "{line}");
            assert!(name == family || families.insert(name), "{line}: a family stands in one place");
            family = name;
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = series.split('{').next().unwrap();
        assert!(!family.is_empty() && name.starts_with(family), "{line} belongs to no family");
        let suffix = &name[family.len()..];
        assert!(["", "_total", "_bucket", "_sum", "_count", "_info"].contains(&suffix), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    families
}

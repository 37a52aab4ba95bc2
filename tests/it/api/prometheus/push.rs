//! Pushes, as clients of the pushgateway send them.

use hyper::{Method, StatusCode};

use super::*;

#[tokio::test]
async fn the_labels_of_the_path_take_the_place_of_those_of_the_samples() {
    let server = start().await;
    let text = "# TYPE metricsagent_cpu_utilization_pct gauge\nmetricsagent_cpu_utilization_pct{host=\"win-1\",job=\"own\"} 12.5\n";
    let path = "/metrics/job/MetricsAgent/instance/win-1";
    for method in [Method::POST, Method::PUT] {
        let answer = server.send(method, path, &[("content-type", "text/plain; version=0.0.4")], text.as_bytes()).await;
        assert_told(&answer, 200, "1", "0");
    }
    let labels = r#"{"host":"win-1","instance":"win-1","job":"MetricsAgent"}"#;
    let expected = format!("prometheus metricsagent_cpu_utilization_pct {labels} 12.5 {NOW}");
    assert_eq!(stored(&server, "win-1").await, [expected]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn names_and_values_may_be_encoded() {
    let server = start().await;
    let path = "/metrics/job@base64/ZGlyZWN0b3J5L2NsZWFuZXI/path@base64/L3Zhci90bXA=/empty@base64/=/a%20b/c";
    assert_eq!(send_text(&server, path, "x 1\n").await.text(), "improper label name \"a b\"\n");
    let path = path.replace("/a%20b/c", "/instance/a%20b:80/");
    assert_told(&send_text(&server, &path, "x 1\n").await, 200, "1", "0");
    let labels = r#"{"instance":"a b:80","job":"directory/cleaner","path":"/var/tmp"}"#;
    assert_eq!(stored(&server, "a b").await, [format!("prometheus x {labels} 1 {NOW}")]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_that_groups_nothing_is_refused_before_the_body_is_read() {
    let server = start().await;
    for (path, reason) in [
        ("/metrics/job/a/b", "odd number of components in the labels of the path"),
        ("/metrics/job/%2F/b", "job name is required"),
        ("/metrics/job/a/__name__/b", "improper label name \"__name__\""),
        ("/metrics/job/a/b@base64/%25", "the value of label \"b\" is not base64 of UTF-8"),
        ("/metrics/job/a/b/c/b/d", "label \"b\" appears twice"),
    ] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let answer = server.send(method, path, &[], b"x 1\n").await;
            assert_eq!((answer.status, answer.text().trim_end()), (StatusCode::BAD_REQUEST, reason), "{path}");
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn deleting_a_group_is_accepted_and_what_was_pushed_stays() {
    let server = start().await;
    assert_told(&send_text(&server, "/metrics/job/a/instance/h", "x 1\n").await, 200, "1", "0");
    let deleted = server.send(Method::DELETE, "/metrics/job/a/instance/h", &[], b"").await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED);
    assert_eq!(stored(&server, "h").await.len(), 1);
    let binary = [(
        "content-type",
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    )];
    let answer = server.send(Method::POST, "/metrics/job/a", &binary, b"x 1").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    server.stop().await.unwrap();
}

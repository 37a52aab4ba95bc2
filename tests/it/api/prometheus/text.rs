//! The text that exporters show, sent as it is.

use std::io::Write;

use hyper::Method;

use super::*;

const IMPORT: &str = "/api/v1/import/prometheus";

#[tokio::test]
async fn what_an_exporter_shows_is_stored_line_by_line() {
    let server = start().await;
    let text = format!(
        "# HELP http_requests_total The total number of HTTP requests.\n\
         # TYPE http_requests_total counter\n\
         http_requests_total{{method=\"post\",code=\"200\"}} 1027 {NOW_MS}\n\
         http_requests_total{{method=\"post\",code=\"400\",}}    3\n\
         \n\
         # Escaping in label values:\n\
         msdos_file_access_time_seconds{{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"}} 1.458255915e9\n\
         metric_without_timestamp_and_labels 12.47\n\
         rpc_duration_seconds {{ quantile = \"0.5\" }} 4773\r\n\
         rpc_duration_seconds_bucket{{le=\"+Inf\"}}\t144320\t-3982045\n"
    );
    let answer = send_text(&server, IMPORT, &text).await;
    assert_told(&answer, 400, "5", "1");
    assert!(
        answer.text().starts_with("1 refused, 5 samples stored; line 10: timestamp is before"),
        "{}",
        answer.text()
    );
    let expected = [
        format!(r#"prometheus http_requests_total {{"code":"200","method":"post"}} 1027 {NOW}"#),
        format!(r#"prometheus http_requests_total {{"code":"400","method":"post"}} 3 {NOW}"#),
        format!("prometheus metric_without_timestamp_and_labels {{}} 12.47 {NOW}"),
        format!(
            r#"prometheus msdos_file_access_time_seconds {{"error":"Cannot find file:\n\"FILE.TXT\"","path":"C:\\DIR\\FILE.TXT"}} 1458255915 {NOW}"#
        ),
        format!(r#"prometheus rpc_duration_seconds {{"quantile":"0.5"}} 4773 {NOW}"#),
    ];
    assert_eq!(stored(&server, "prometheus").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_value_of_a_line_comes_back_bit_for_bit() {
    let server = start().await;
    let values = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, f64::INFINITY, f64::NAN, 9_007_199_254_740_993.0];
    let spelt: Vec<String> = values.iter().zip(0..).map(|(value, place)| format!("f{place} {value:?}\n")).collect();
    assert_told(&send_text(&server, IMPORT, &spelt.concat()).await, 204, "8", "0");
    let exported = server.get("/api/v1/export?metric_type=prometheus").await;
    for (place, value) in values.iter().enumerate() {
        let name = format!("\"f{place}\"");
        let line = exported.text().lines().find(|line| line.contains(&name)).unwrap();
        assert_eq!(value_bits(line), value.to_bits(), "{line}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn open_metrics_has_seconds_exemplars_and_quoted_names() {
    let server = start().await;
    let text = format!(
        "# TYPE foo histogram\n# UNIT foo seconds\n\
         foo_bucket{{le=\"0.1\"}} 8 {}.5 # {{trace_id=\"KOO5\"}} 0.067 1.5\n\
         foo_count 17 # {{}} 1\n\
         {{\"a name.with dots\",\"another one\"=\"x\"}} 1 {}\n\
         # EOF\n",
        NOW_MS / 1_000 - 1,
        NOW_MS / 1_000,
    );
    let content_type = ("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let headers = [content_type, ("content-encoding", "gzip")];
    let path = format!("{IMPORT}?extra_label=instance=db-1:9187&extra_label=job=pg");
    let answer = server.send(Method::POST, &path, &headers, &gzip.finish().unwrap()).await;
    assert_told(&answer, 204, "3", "0");
    assert_eq!(answer.header("x-millrace-left-out"), Some("2"));
    let half_past = NOW.replace("12:00:00", "11:59:59.5");
    let expected = [
        format!(r#"prometheus a name.with dots {{"another one":"x","instance":"db-1:9187","job":"pg"}} 1 {NOW}"#),
        format!(r#"prometheus foo_bucket {{"instance":"db-1:9187","job":"pg","le":"0.1"}} 8 {half_past}"#),
        format!(r#"prometheus foo_count {{"instance":"db-1:9187","job":"pg"}} 17 {NOW}"#),
    ];
    assert_eq!(stored(&server, "db-1").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_named_and_its_neighbours_are_stored() {
    let server = start().await;
    for (line, reason) in [
        ("a", "missing value"),
        ("a{b=\"c\"}", "missing value"),
        ("a one", "invalid value 'one'"),
        ("a 1e400", "invalid value '1e400'"),
        ("a 1 soon", "invalid timestamp 'soon'"),
        ("a 1 99999999999999999999", "invalid timestamp"),
        ("a 1 1 1", "unexpected '1' after the sample"),
        ("a{b=c} 1", "labels: a value has no quotes"),
        ("a{b=\"c} 1", "labels: a quote is not closed"),
        ("a{b=\"c\" d=\"e\"} 1", "labels: no comma or brace after a label"),
        ("a{b} 1", "labels: a label has no value"),
        ("a{=\"c\"} 1", "labels: a label has no name"),
        ("a{b=\"c\",b=\"d\"} 1", "label \"b\" appears twice"),
        ("{b=\"c\"} 1", "missing metric name"),
        ("cpu,host=a v=1", "labels: a name holds what must be quoted"),
        ("}", "missing metric name"),
    ] {
        let answer = send_text(&server, IMPORT, &format!("good 1\n{line}\ngood 2\n")).await;
        assert_told(&answer, 400, "2", "1");
        let head = format!("1 refused, 2 samples stored; line 2: {reason}");
        assert!(answer.text().starts_with(&head), "{line}: {} is not {head}", answer.text());
    }
    let long = format!("a{{b=\"{}\"}} 1", "x".repeat(300_000));
    let wide: Vec<String> = (0..20_000).map(|place| format!("l{place}=\"x\"")).collect();
    for (line, reason) in [(long, "at most 262144 are allowed"), (format!("a{{{}}} 1", wide.join(",")), "at most")] {
        let answer = send_text(&server, IMPORT, &format!("good 1\n{line}\ngood 2")).await;
        assert_told(&answer, 400, "2", "1");
        assert!(answer.text().contains(reason) && answer.text().len() < 1_000, "{}", answer.text());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_an_answer_too_and_protobuf_is_not_text() {
    let server = start().await;
    for text in ["", "\n", "# EOF\n"] {
        assert_told(&send_text(&server, IMPORT, text).await, 204, "0", "0");
    }
    for content_type in ["application/vnd.google.protobuf; encoding=delimited", "application/x-protobuf"] {
        let answer = server.send(Method::POST, IMPORT, &[("content-type", content_type)], b"a 1").await;
        assert_eq!(answer.status, 415, "{answer:?}");
    }
    let bad = send_text(&server, "/api/v1/import/prometheus?extra_label=job", "a 1").await;
    assert_eq!(bad.status, 400, "{bad:?}");
    server.stop().await.unwrap();
}

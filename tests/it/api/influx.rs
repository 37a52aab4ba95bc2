//! Lines of InfluxDB, as Telegraf and the official clients send them: what is stored, and what each version answers.

use std::collections::BTreeMap;
use std::io::Write;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOW, start, start_with};
use crate::harness::TestServer;
use crate::harness::server::Answer;

/// [`NOW`] in nanoseconds.
const NOW_NS: i64 = 1_763_640_000_000_000_000;
const WRITES: [&str; 3] = ["/write", "/api/v2/write", "/api/v3/write_lp"];

async fn write(server: &TestServer, path: &str, body: &str) -> Answer {
    server.send(Method::POST, path, &[("content-type", "text/plain; charset=utf-8")], body.as_bytes()).await
}

/// The ids of the registered servers by their host names.
pub(super) async fn hosts(server: &TestServer) -> BTreeMap<String, String> {
    let listed = server.get("/api/v1/servers").await.json();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|row| (text(row, "hostname"), text(row, "id"))).collect()
}

/// What is stored of a host, as `type name labels value timestamp`, sorted.
pub(super) async fn stored(server: &TestServer, host: &str) -> Vec<String> {
    let id = hosts(server).await.remove(host).unwrap_or_default();
    let page = server.get(&format!("/api/v1/metrics?limit=1000&server_id={id}")).await.json();
    let row = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let (kind, name, time) = (text("metric_type"), text("metric_name"), text("timestamp"));
        format!("{kind} {name} {} {} {time}", row["labels"], row["value"].as_f64().unwrap())
    };
    let mut rows: Vec<String> = page["metrics"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

#[track_caller]
fn assert_told(answer: &Answer, status: u16, accepted: &str, rejected: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("x-millrace-accepted"), Some(accepted), "{answer:?}");
    assert_eq!(answer.header("x-millrace-rejected"), Some(rejected), "{answer:?}");
}

#[tokio::test]
async fn telegraf_creates_its_database_and_writes_gzipped_lines() {
    let server = start().await;
    let ping = server.get("/ping").await;
    assert_eq!((ping.status, ping.header("x-influxdb-version")), (StatusCode::NO_CONTENT, Some("1.8.10")));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let created = server.send(Method::POST, "/query", &form, b"q=CREATE+DATABASE+%22telegraf%22").await;
    assert_eq!((created.status.as_u16(), created.json()), (200, json!({ "results": [{ "statement_id": 0 }] })));
    let created = server.send(Method::POST, "/query?q=create%20database%20a&db=", &[], b"").await;
    assert_eq!(created.status, 200);
    // The Python client names an encoding though there is nothing to encode.
    let gzip = [("content-encoding", "gzip")];
    let created = server.send(Method::POST, "/query?q=create%20database%20a", &gzip, b"").await;
    assert_eq!(created.status, 200, "{created:?}");
    let lines = format!(
        "cpu,cpu=cpu-total,host=web-1 usage_user=1.25,usage_idle=98.5 {NOW_NS}\n\
         disk,device=sda1,fstype=ext4,host=web-1,path=/var/my\\ dir free=1024i,used_percent=12.5,ro=false {NOW_NS}\n\
         system,host=web-1 uptime=86400i,uptime_format=\"1 day,  0:00\" {NOW_NS}\n"
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let headers = [("content-type", "text/plain; charset=utf-8"), ("content-encoding", "gzip")];
    let answer = server.send(Method::POST, "/write?db=telegraf&rp=", &headers, &gzip.finish().unwrap()).await;
    assert_told(&answer, 204, "6", "0");
    assert_eq!(answer.header("x-millrace-left-out"), Some("1"));
    assert_eq!(answer.header("x-millrace-left-out-lines"), Some("3"));
    let disk = r#"{"device":"sda1","fstype":"ext4","path":"/var/my dir"}"#;
    let expected = [
        format!(r#"cpu usage_idle {{"cpu":"cpu-total"}} 98.5 {NOW}"#),
        format!(r#"cpu usage_user {{"cpu":"cpu-total"}} 1.25 {NOW}"#),
        format!("disk free {disk} 1024 {NOW}"),
        format!("disk ro {disk} 0 {NOW}"),
        format!("disk used_percent {disk} 12.5 {NOW}"),
        format!("system uptime {{}} 86400 {NOW}"),
    ];
    assert_eq!(stored(&server, "web-1").await, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_bad_line_is_named_as_each_version_names_it_and_the_others_are_stored() {
    let server = start().await;
    for (place, path) in WRITES.into_iter().enumerate() {
        let body = format!("m,host=h{place} v=1\nm,host=h{place} v=\nm,host=h{place} v=2 {}\n", NOW_NS - 1_000_000);
        let answer = write(&server, path, &body).await;
        assert_told(&answer, 400, "2", "1");
        let reason = format!("unable to parse 'm,host=h{place} v=': missing field value");
        let partial = format!("partial write: {reason} dropped=1");
        let line = json!({ "original_line": format!("m,host=h{place} v="), "line_number": 2,
            "error_message": "missing field value" });
        let expected = match place {
            0 => json!({ "error": partial }),
            1 => json!({ "code": "invalid", "message": partial, "line": 2 }),
            _ => json!({ "error": "partial write of line protocol occurred", "data": [line] }),
        };
        assert_eq!(answer.json(), expected);
        assert_eq!(stored(&server, &format!("h{place}")).await.len(), 2);
    }
    let whole = write(&server, "/write", "m v=").await;
    assert_eq!(whole.json(), json!({ "error": "unable to parse 'm v=': missing field value" }));
    let old = write(&server, "/write", "m v=1 1000\nm v=2").await.json();
    let old = old["error"].as_str().unwrap();
    assert!(old.starts_with("partial write: points beyond retention policy: line 1: "), "{old}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_stored_of_a_bad_body_when_the_client_wants_all_or_nothing() {
    let server = start().await;
    let body = "m,host=a v=1\nm,host=a v=1x\n";
    let answer = write(&server, "/api/v3/write_lp?db=x&accept_partial=false&no_sync=true", body).await;
    assert_told(&answer, 400, "0", "1");
    assert_eq!(answer.json()["data"][0]["line_number"], 2);
    assert_eq!(stored(&server, "a").await, Vec::<String>::new());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn timestamps_are_read_in_the_precision_that_each_client_names() {
    let server = start().await;
    let seconds = NOW_NS / 1_000_000_000;
    let requests = [
        ("/write?precision=n", NOW_NS),
        ("/write?precision=u", NOW_NS / 1_000),
        ("/write?precision=%C2%B5", NOW_NS / 1_000),
        ("/write?precision=ms", NOW_NS / 1_000_000),
        ("/write?precision=s", seconds),
        ("/write?precision=m", seconds / 60),
        ("/write?precision=h", seconds / 3_600),
        ("/write", NOW_NS),
        ("/api/v2/write?org=o&bucket=b&precision=us", NOW_NS / 1_000),
        ("/api/v2/write?org=o&bucket=b", NOW_NS),
        ("/api/v3/write_lp?db=d&precision=second", seconds),
        ("/api/v3/write_lp?db=d&precision=nanosecond", NOW_NS),
        ("/api/v3/write_lp?db=d&precision=auto", NOW_NS / 1_000_000),
        ("/api/v3/write_lp?db=d", seconds),
    ];
    for (place, (path, time)) in requests.into_iter().enumerate() {
        assert_told(&write(&server, path, &format!("m,host=a f{place:02}=1 {time}")).await, 204, "1", "0");
    }
    let expected: Vec<String> = (0..requests.len()).map(|place| format!("m f{place:02} {{}} 1 {NOW}")).collect();
    assert_eq!(stored(&server, "a").await, expected);
    let unknown = write(&server, "/write?precision=days", "m v=1").await;
    assert_eq!(unknown.json()["error"], "invalid precision \"days\", give ns, us, ms, s, m or h");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_float_of_a_line_comes_back_bit_for_bit() {
    let server = start().await;
    let values = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, 123_456_789.123_456_78, -2.5e-7, 9_007_199_254_740_991.0];
    let fields: Vec<String> = values.iter().zip(0..).map(|(value, place)| format!("f{place}={value:?}")).collect();
    // Twice: the first time the series are made, the second time they are found by the line.
    for _ in 0..2 {
        assert_told(&write(&server, "/write", &format!("m,host=a {}", fields.join(","))).await, 204, "8", "0");
    }
    let id = hosts(&server).await.remove("a").unwrap();
    let page = server.get(&format!("/api/v1/metrics?server_id={id}")).await;
    let text = page.text().to_owned();
    for (value, place) in values.iter().zip(0..) {
        let name = format!("\"metric_name\":\"f{place}\",\"value\":");
        let start = text.find(&name).unwrap_or_else(|| panic!("{name} is not in {text}")) + name.len();
        let end = start + text[start..].find([',', '}']).unwrap();
        assert_eq!(text[start..end].parse::<f64>().unwrap().to_bits(), value.to_bits(), "{}", &text[start..end]);
    }
    assert_eq!(page.json()["count"], 8, "a sample sent twice is one");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn fields_may_come_in_any_order_and_new_ones_at_any_time() {
    let server = start().await;
    for (fields, accepted) in [("a=1,b=2", "2"), ("b=3,a=4", "2"), ("a=5,new=6,b=7", "3"), ("new=8", "1")] {
        assert_told(&write(&server, "/write", &format!("m,host=x {fields}")).await, 204, accepted, "0");
    }
    let expected = ["m a {} 5", "m b {} 7", "m new {} 8"].map(|row| format!("{row} {NOW}"));
    assert_eq!(stored(&server, "x").await, expected);
    let many: Vec<String> = (0..2_000).map(|place| format!("f{place}={place}i")).collect();
    for turned in [0, 1_000, 0] {
        let (last, first) = many.split_at(turned);
        let line = format!("wide,host=y {},{}", first.join(","), last.join(","));
        assert_told(&write(&server, "/write", line.trim_end_matches(',')).await, 204, "2000", "0");
    }
    assert_eq!(server.get("/api/v1/series?metric_type=wide&metric_name=f1999").await.json()["count"], 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_is_registered_on_first_sight_and_anew_after_it_was_deleted() {
    let server = start_with(&[("influx.host_tags", "node,host"), ("influx.default_host", "unnamed")]).await;
    let known = server.register("known").await;
    let body = "m,host=a,node=b v=1\nm,host=known v=2\nm v=3\n";
    assert_told(&write(&server, "/write", body).await, 204, "3", "0");
    let before = hosts(&server).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), ["b", "known", "unnamed"]);
    assert_eq!(before["known"], known);
    let listed = server.get("/api/v1/servers").await.json();
    assert_eq!((&listed[0]["ip_address"], &listed[0]["os"]), (&json!("0.0.0.0"), &json!("")));
    assert_eq!(stored(&server, "b").await, [format!(r#"m v {{"host":"a"}} 1 {NOW}"#)]);
    server.send(Method::DELETE, &format!("/api/v1/servers/{}", before["b"]), &[], b"").await;
    assert_told(&write(&server, "/write", body).await, 204, "3", "0");
    assert_ne!(hosts(&server).await["b"], before["b"]);
    assert_eq!(stored(&server, "b").await.len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_host_beyond_the_limit_of_servers_is_refused_with_the_name_of_the_limit() {
    let server = start_with(&[("catalog.servers_max", "2")]).await;
    let body = "m,host=a v=1,w=2\nm,host=b v=1\nm,host=c v=1,w=2\nm,host=a v=3\n";
    for _ in 0..2 {
        let answer = write(&server, "/write", body).await;
        assert_told(&answer, 400, "4", "1");
        let full = "there are 2 servers, no more are allowed (catalog.servers_max)";
        assert_eq!(answer.json(), json!({ "error": format!("partial write: line 3: {full} dropped=1") }));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn texts_are_refused_when_the_settings_say_so() {
    let server = start_with(&[("influx.strings", "refuse")]).await;
    let answer = write(&server, "/api/v2/write", "m,host=a v=1,t=\"x\"").await;
    assert_told(&answer, 400, "1", "1");
    assert_eq!(answer.json()["line"], 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn endless_tags_lines_and_escapes_are_refused_and_cost_no_neighbour() {
    let server = start().await;
    let tags: Vec<String> = (0..100_000).map(|tag| format!("t{tag}=1")).collect();
    let few: Vec<String> = (0..200).map(|tag| format!("t{tag}=1")).collect();
    let bad = [
        (format!("m,{} v=1", tags.join(",")), "at most 32768 are allowed"),
        (format!("m,{} {}", few.join(","), "v=1,".repeat(5_000) + "v=1"), "200 labels, at most 64 are allowed"),
        (format!("m v=\"{}\"", "x".repeat(1_000_000)), "at most 262144 are allowed"),
        (format!("m,host={} v=1", "\\,".repeat(500_000)), "at most 32768 are allowed"),
        (format!("m,host={} v=1", "h".repeat(300)), "at most 255 without a NUL"),
        (format!("{} v=1", "m".repeat(300)), "at most 256 are allowed"),
    ];
    for (line, reason) in &bad {
        let answer = write(&server, "/write", &format!("ok,host=a v=1\n{line}\nok,host=a w=1\n")).await;
        assert_told(&answer, 400, "2", "1");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(reason) && error.len() < 1_000, "{error}");
    }
    let marks = write(&server, "/write", &"m a=1,a=1\n".repeat(1_000_001)).await;
    assert_eq!(marks.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(marks.json()["error"], "the body has 2000002 fields and tags, at most 2000000 are allowed");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_body_is_nothing_and_unknown_statements_are_refused() {
    let server = start().await;
    for path in WRITES {
        for body in ["", "\n\n", "# nothing\n"] {
            assert_told(&write(&server, path, body).await, 204, "0", "0");
        }
    }
    for body in ["q=SHOW+DATABASES", "", "q="] {
        assert_eq!(server.send(Method::POST, "/query", &[], body.as_bytes()).await.status, 400, "{body}");
    }
    let head = server.send(Method::HEAD, "/ping", &[("connection", "close")], b"").await;
    assert_eq!(head.status, StatusCode::NO_CONTENT);
    server.stop().await.unwrap();
}

//! What becomes of the lines of an import, and who is told.

use std::io::Write;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{IMPORT, NOW, STRANGER, TIMES_US, export, import, import_all, line, start, start_with};
use crate::harness::agents::rfc3339;
use crate::harness::server::Answer;

const BEGIN_US: i64 = TIMES_US.start;

#[tokio::test]
async fn every_line_gets_its_own_verdict_by_its_number() {
    let server = start().await;
    let id = server.register("server01").await;
    let good = |place: i64| line(&id, "a", BEGIN_US + place, "1");
    let future = line(&id, "a", TIMES_US.end + 3_600_000_000, "1");
    let bad_time = good(0).replace("2020-", "x020-");
    let lines = [&good(1), "\n", "{\n", &bad_time, &good(2), &line(STRANGER, "a", BEGIN_US, "1"), &future, &good(3)];
    let answer = import(&server, "", lines.concat().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let report = answer.json();
    assert_eq!((&report["imported"], &report["refused"], &report["lines"]), (&json!(3), &json!(4), &json!(8)));
    let codes: Vec<(u64, &str)> = report["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| (verdict["line"].as_u64().unwrap(), verdict["code"].as_str().unwrap()))
        .collect();
    let expected = [(3, "malformed_line"), (4, "invalid_timestamp"), (6, "unknown_server"), (7, "too_far_in_future")];
    assert_eq!(codes, expected);
    assert_eq!(export(&server, "").await, [good(1), good(2), good(3)].concat());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_import_of_which_nothing_could_be_stored_is_refused_with_all_its_verdicts() {
    let server = start().await;
    let answer = import(&server, "", "x\n".repeat(250).as_bytes()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let report = answer.json();
    assert_eq!((&report["imported"], &report["refused"]), (&json!(0), &json!(250)));
    assert_eq!(report["verdicts"].as_array().unwrap().len(), 100, "the others are counted");
    assert_eq!(import_all(&server, "", b"").await["imported"], 0, "nothing to store is no failure");
    server.stop().await.unwrap();
}

/// Several chunks, larger than a body may be elsewhere.
async fn import_much(headers: &[(&str, &str)], wire: impl Fn(&[u8]) -> Vec<u8>) {
    const LINES: i64 = 20_000;
    let server = start_with(&[("http.body_bytes_max", "64KiB"), ("http.inflated_bytes_max", "64KiB")]).await;
    let id = server.register("server01").await;
    let lines: String = (0..LINES).map(|place| line(&id, "a", BEGIN_US + place, &place.to_string())).collect();
    assert!(lines.len() > 2 << 20);
    let answer = server.send(Method::POST, IMPORT, headers, &wire(lines.as_bytes())).await;
    assert_eq!((answer.status, &answer.json()["imported"]), (StatusCode::OK, &json!(LINES)), "{answer:?}");
    assert!(export(&server, "").await == lines);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_may_be_larger_than_bodies_are_elsewhere() {
    import_much(&[], <[u8]>::to_vec).await;
}

#[tokio::test]
async fn bodies_may_be_compressed() {
    import_much(&[("content-encoding", "zstd")], |text| zstd::encode_all(text, 1).unwrap()).await;
    import_much(&[("content-encoding", "gzip")], |text| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    })
    .await;
    let server = start().await;
    let answer = server.send(Method::POST, IMPORT, &[("content-encoding", "snappy")], b"").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.header("accept-encoding"), Some("gzip, zstd, identity"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_later_of_two_lines_with_the_same_series_and_time_wins() {
    let server = start().await;
    let id = server.register("server01").await;
    let filler: String = (0..20_000).map(|place| line(&id, "b", BEGIN_US + place, "0")).collect();
    let lines = [line(&id, "a", BEGIN_US, "1"), filler, line(&id, "a", BEGIN_US, "2")].concat();
    import_all(&server, "", lines.as_bytes()).await;
    assert_eq!(export(&server, "metric_name=a").await, line(&id, "a", BEGIN_US, "2"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn servers_are_registered_by_their_host_only_when_that_is_asked_for() {
    let server = start().await;
    let known = server.register("known").await;
    let of_host = |id: Option<&str>, host: &str, place: i64| {
        let named = id.map(|id| format!("\"server_id\":\"{id}\",")).unwrap_or_default();
        line("", "a", BEGIN_US + place, "1").replace("\"server_id\":\"\",", &format!("{named}\"hostname\":\"{host}\","))
    };
    let lines = [of_host(Some(STRANGER), "stranger", 0), of_host(None, "nameless", 1), of_host(None, "known", 2)];
    let answer = import(&server, "", lines.concat().as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["refused"]), (StatusCode::BAD_REQUEST, &json!(3)));

    assert_eq!(import_all(&server, "create_servers=true", lines.concat().as_bytes()).await["imported"], 3);
    let servers = server.get("/api/v1/servers").await.json();
    let id_of = |host: &str| {
        let servers = servers.as_array().unwrap();
        let found = servers.iter().find(|server| server["hostname"] == host).unwrap_or_else(|| panic!("{servers:?}"));
        found["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id_of("stranger"), STRANGER, "the id of the lines is free, so it is kept");
    assert_eq!(id_of("known"), known);
    let exported = export(&server, &format!("server_id={}", id_of("nameless"))).await;
    assert_eq!(exported, line(&id_of("nameless"), "a", BEGIN_US + 1, "1"));
    assert_eq!(export(&server, &format!("server_id={known}")).await, line(&known, "a", BEGIN_US + 2, "1"));
    // A host that is registered under another id keeps that.
    let renamed = of_host(Some("00000000-0000-0000-0000-000000000007"), "known", 3);
    import_all(&server, "create_servers=true", renamed.as_bytes()).await;
    assert_eq!(export(&server, &format!("server_id={known}")).await.lines().count(), 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn csv_is_read_by_its_head_and_records_may_span_lines() {
    let server = start().await;
    let id = server.register("server01").await;
    let csv = format!(
        "timestamp,value,metric_name,metric_type,server_id\r\n2025-01-01T00:00:00Z,1.5,\"a\nb\",cpu,{id}\r\n\
         2025-01-01T00:00:00Z,x,a,cpu,{id}\r\n2025-01-01T00:00:01Z,-Inf,\"a\nb\",cpu,{id}"
    );
    let answer = server.send(Method::POST, IMPORT, &[("content-type", "text/csv")], csv.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["verdicts"][0]["line"], 4);
    let expected =
        [line(&id, "a\\nb", 1_735_689_600_000_000, "1.5"), line(&id, "a\\nb", 1_735_689_601_000_000, "\"-Inf\"")];
    assert_eq!(export(&server, "").await, expected.concat());
    let answer = import(&server, "format=csv", b"a,b\n1,2\n").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"]["code"], "bad_head");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_says_what_of_it_was_committed() {
    let server = start().await;
    let id = server.register("server01").await;
    let lines: String = (0..20_000).map(|place| line(&id, "a", BEGIN_US + place, "1")).collect();
    let mut wire = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    wire.truncate(wire.len() - 10);
    let answer = server.send(Method::POST, IMPORT, &[("content-encoding", "zstd")], &wire).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    let error = answer.json()["error"].take();
    assert_eq!(error["code"], "corrupt_body");
    let told = error["details"][0]["imported"].as_u64().unwrap();
    assert!(told > 0, "{error}");
    assert_eq!(export(&server, "").await.lines().count() as u64, told, "no more and no less");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn progress_is_told_line_by_line_and_the_last_one_says_how_it_ended() {
    let server = start().await;
    let id = server.register("server01").await;
    let last = |answer: &Answer| -> Value { serde_json::from_str(answer.text().lines().last().unwrap()).unwrap() };
    let lines = [line(&id, "a", BEGIN_US, "1"), "x\n".to_owned()].concat();
    let answer = import(&server, "progress=true", lines.as_bytes()).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let report = last(&answer);
    assert_eq!((&report["done"], &report["imported"], &report["refused"]), (&json!(true), &json!(1), &json!(1)));
    assert_eq!(report["verdicts"][0]["line"], 2);
    let answer = server
        .send(Method::POST, &format!("{IMPORT}?progress=true"), &[("content-encoding", "gzip")], b"no gzip")
        .await;
    let report = last(&answer);
    assert_eq!((&report["done"], &report["error"]["code"]), (&json!(false), &json!("corrupt_body")), "{report}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_import_goes_on_while_its_answer_is_under_way() {
    const LINES: i64 = 60_000;
    let server = start().await;
    let id = server.register("server01").await;
    let lines: String = (0..LINES).map(|place| line(&id, "a", BEGIN_US + place, "1")).collect();
    assert!(lines.len() > 6 << 20, "more than sockets and buffers take");
    let answer = import(&server, "progress=true", lines.as_bytes()).await;
    let last: Value = serde_json::from_str(answer.text().lines().last().unwrap()).unwrap();
    assert_eq!((&last["done"], &last["imported"], &last["lines"]), (&json!(true), &json!(LINES), &json!(LINES)));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up_however_much_came() {
    let server = start_with(&[("http.body_timeout", "200ms")]).await;
    let id = server.register("server01").await;
    let mut socket = server.connect().await;
    let head = format!("POST {IMPORT} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 100000\r\n\r\n");
    socket.write_all(format!("{head}{}", line(&id, "a", BEGIN_US, "1")).as_bytes()).await.unwrap();
    let answer = Answer::read(&mut socket).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.json()["error"]["details"], json!([{ "lines": 0, "imported": 0, "refused": 0 }]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_parameter_that_means_nothing_is_refused() {
    let server = start().await;
    for query in ["format=xml", "progress=maybe", "create_servers=2"] {
        assert_eq!(import(&server, query, b"").await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let at_now = format!("{{\"timestamp\":\"{NOW}\"}}\n");
    assert_eq!(import(&server, "", at_now.as_bytes()).await.json()["verdicts"][0]["code"], "missing_field");
    server.stop().await.unwrap();
}

/// What stands for a value in NDJSON and in CSV, and what comes of it: a verdict, or the value as it is exported.
const VALUES: [(&str, &str, &str); 14] = [
    ("1e400", "1e400", "number_out_of_range"),
    ("-1e400", "-1e400", "number_out_of_range"),
    ("1e-400", "1e-400", "0"),
    ("-0.0", "-0.0", "-0"),
    ("5e-324", "5e-324", "5e-324"),
    ("1.7976931348623157e308", "1.7976931348623157e308", "1.7976931348623157e+308"),
    ("\"NaN\"", "NaN", "\"NaN\""),
    ("\"+Inf\"", "+Inf", "\"+Inf\""),
    ("\"0x7ff0000000000002\"", "0x7ff0000000000002", "\"0x7ff0000000000002\""),
    ("\"0x10\"", "0x10", "invalid_type"),
    ("\"1\"", "\"1\"\"\"", "invalid_type"),
    ("true", "true", "invalid_type"),
    ("null", "", "missing_field"),
    ("[1]", "1_000", "invalid_type"),
];

#[tokio::test]
async fn hostile_lines_are_refused_one_by_one_and_their_neighbours_are_stored() {
    for is_csv in [false, true] {
        let server = start().await;
        let id = server.register("server01").await;
        let time = |place: usize| rfc3339(BEGIN_US + place as i64);
        let csv_line = |time: &str, value: &str| format!("{id},cpu,a,{time},{value}\n");
        let head = "server_id,metric_type,metric_name,timestamp,value\n";
        let mut text = if is_csv { head.as_bytes().to_vec() } else { Vec::new() };
        for (place, (json, csv, _)) in VALUES.iter().enumerate() {
            let place_us = BEGIN_US + place as i64;
            let one = if is_csv { csv_line(&time(place), csv) } else { line(&id, "a", place_us, json) };
            text.extend_from_slice(one.as_bytes());
        }
        let good = if is_csv { csv_line(&time(99), "7") } else { line(&id, "a", BEGIN_US + 99, "7") };
        // What is no text, is deeper than anything means, or never ends; and all kinds of line ends.
        text.extend_from_slice(&[good.as_bytes(), b"\xff\xfe,\x00\n", &renamed(&good, b"\xc3\x28")].concat());
        text.extend_from_slice(format!("{}\n", "[".repeat(100_000)).as_bytes());
        text.extend_from_slice(format!("{}\r\n\r\n\n", "x".repeat(300_000)).as_bytes());
        text.extend_from_slice(good.trim_end().as_bytes());
        let answer = import(&server, if is_csv { "format=csv" } else { "" }, &text).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let is_refused = |what: &str| what.ends_with(|end: char| end.is_ascii_lowercase());
        let verdicts = answer.json()["verdicts"].clone();
        let codes: Vec<&str> =
            verdicts.as_array().unwrap().iter().map(|verdict| verdict["code"].as_str().unwrap()).collect();
        let expected: Vec<&str> = VALUES.iter().map(|(.., what)| *what).filter(|what| is_refused(what)).collect();
        assert_eq!(codes[..expected.len()], expected, "{verdicts}");
        assert_eq!(codes.len(), expected.len() + 4, "{verdicts}");
        let stored = VALUES.iter().enumerate().filter(|(_, (.., what))| !is_refused(what));
        let mut lines: String =
            stored.map(|(place, (.., what))| line(&id, "a", BEGIN_US + place as i64, what)).collect();
        lines.push_str(&line(&id, "a", BEGIN_US + 99, "7"));
        assert_eq!(export(&server, "").await, lines, "csv: {is_csv}");
        server.stop().await.unwrap();
    }
}

/// A line with other bytes as its metric's name, `a`.
fn renamed(line: &str, name: &[u8]) -> Vec<u8> {
    let at = line.find("\"a\"").or_else(|| line.find(",a,")).unwrap() + 1;
    [&line.as_bytes()[..at], name, &line.as_bytes()[at + 1..]].concat()
}

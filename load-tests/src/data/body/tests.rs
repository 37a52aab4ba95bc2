//! Promises about rendered bodies: what is patched in is what a reader of the dialect finds.

use super::*;
use crate::data::{Fleet, TimeGrid};

const CENTS: [i32; 10] = [1000, 9999, 1234, 5678, 9012, 3456, 7890, 1111, 2222, 5821];

fn fleet() -> Fleet {
    Fleet::new(9, 40, TimeGrid { end_ms: 1_763_600_000_000, span_ms: 1_000_000, step_ms: 10_000 })
}

#[test]
fn a_patched_json_body_is_a_request_of_system_002() {
    let fleet = fleet();
    let host = &fleet.hosts[17];
    let mut body = Body::new(Dialect::Json, 3);
    body.set_host(host);
    (0..3).for_each(|row| body.set_row(row, host, fleet.time_ms(row as u32), &CENTS));
    let request: serde_json::Value = serde_json::from_slice(body.bytes()).unwrap();
    assert_eq!(request["server_id"], host.id.to_string());
    let samples = request["metrics"].as_array().unwrap();
    assert_eq!(samples.len(), 30);
    let last = &samples[29];
    assert_eq!(last["metric_name"], "usage_guest_nice");
    assert_eq!(last["value"], 58.21);
    assert_eq!(last["labels"]["datacenter"], String::from_utf8_lossy(&host.datacenter).as_ref());
    assert_eq!(last["timestamp"], clock::rfc3339_text(fleet.time_ms(2)));
    let bytes_per_sample = body.bytes().len() / 30;
    assert!((117..=150).contains(&bytes_per_sample), "{bytes_per_sample}");
}

#[test]
fn a_patched_influx_body_is_one_line_a_row() {
    let fleet = fleet();
    let mut body = Body::new(Dialect::Influx, 2);
    body.set_row(0, &fleet.hosts[0], 1_451_606_400_000, &CENTS);
    body.set_row(1, &fleet.hosts[1], 1_451_606_410_000, &CENTS);
    let text = String::from_utf8(body.bytes().to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("cpu,hostname=host_000000,region=us-east-1,datacenter=us-east-1a usage_user=10.00,"));
    assert!(lines[1].ends_with(",usage_guest_nice=58.21 1451606410000000000"), "{}", lines[1]);
}

#[test]
fn a_patched_copy_body_can_be_walked_field_by_field() {
    let fleet = fleet();
    let host = &fleet.hosts[5];
    let mut body = Body::new(Dialect::Copy, 1);
    body.set_row(0, host, 946_684_801_000, &CENTS);
    let mut rest = body.bytes().strip_prefix(COPY_HEADER).unwrap();
    for (name, cents) in METRICS.iter().zip(CENTS) {
        let (count, tail) = rest.split_at(2);
        assert_eq!(count, 6_i16.to_be_bytes());
        rest = tail;
        let mut fields = Vec::new();
        for _ in 0..6 {
            let (length, tail) = rest.split_at(4);
            let (field, tail) = tail.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
            fields.push(field);
            rest = tail;
        }
        assert_eq!(fields[0], host.id.as_bytes());
        assert_eq!((fields[1], fields[2]), (METRIC_TYPE.as_bytes(), name.as_bytes()));
        assert_eq!(fields[3], (f64::from(cents) / 100.0).to_be_bytes());
        assert_eq!(fields[4][0], 1);
        assert!(serde_json::from_slice::<serde_json::Value>(&fields[4][1..]).unwrap()["datacenter"].is_string());
        assert_eq!(fields[5], 1_000_000_i64.to_be_bytes());
    }
    assert_eq!(rest, COPY_TRAILER);
}

/// Where the fields of a message with this number are, lengths and all taken off.
fn fields(mut message: &[u8], number: u8) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((tag, rest)) = message.split_first() {
        let varint = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let value = rest[..varint].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        let (content, after) = match tag & 7 {
            0 => rest.split_at(varint),
            1 => rest.split_at(8),
            _ => rest[varint..].split_at(value),
        };
        if tag >> 3 == number {
            found.push(content);
        }
        message = after;
    }
    found
}

#[test]
fn a_patched_remote_write_body_is_ten_series_a_row() {
    let fleet = fleet();
    let mut body = Body::new(Dialect::RemoteWrite, 2);
    (0..2).for_each(|row| body.set_row(row, &fleet.hosts[row], 1_763_600_000_000 + row as i64, &CENTS));
    let series = fields(body.bytes(), 1);
    assert_eq!(series.len(), 20);
    let labels: Vec<(String, String)> = fields(series[13], 1)
        .into_iter()
        .map(|label| [1, 2].map(|number| String::from_utf8(fields(label, number)[0].to_vec()).unwrap()).into())
        .collect();
    let expected = [
        ("__name__", "usage_nice"),
        ("datacenter", "us-west-2a"),
        ("instance", "host_000001"),
        ("region", "us-west-2"),
    ];
    assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let sample = fields(series[13], 2)[0];
    assert_eq!(fields(sample, 1)[0], 56.78_f64.to_le_bytes());
    let time = fields(sample, 2)[0].iter().rev().fold(0_i64, |sum, byte| sum << 7 | i64::from(byte & 0x7f));
    assert_eq!(time, 1_763_600_000_001);
}

//! Answers as text: one JSON document, the same a series a line, or CSV a point a line.

use super::plan::Span;
use super::{Answer, Group, Points};
use crate::model::Micros;
use crate::wire::json::write::{write_json_number, write_json_string};
use crate::wire::lines::csv_text::csv_text;

const POINT_BYTES: usize = 48;

/// The whole answer.
pub fn json(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + points(answer) * POINT_BYTES);
    out.extend_from_slice(b"{\"series\":[");
    separated(&answer.groups, &mut out, |(group, points), out| series(group, points, answer, out));
    out.extend_from_slice(b"],");
    about(answer, &mut out);
    out.push(b'}');
    out
}

/// A series a line; the last line tells what they were made of.
pub fn ndjson(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + points(answer) * POINT_BYTES);
    for (group, points) in &answer.groups {
        series(group, points, answer, &mut out);
        out.push(b'\n');
    }
    out.push(b'{');
    about(answer, &mut out);
    out.extend_from_slice(b"}\n");
    out
}

/// A point a line, under a head.
pub fn csv(answer: &Answer) -> Vec<u8> {
    let mut out = b"server_id,metric_type,metric_name,labels,timestamp".to_vec();
    for column in &answer.columns {
        out.push(b',');
        out.extend_from_slice(column.as_bytes());
    }
    out.push(b'\n');
    for (group, points) in &answer.groups {
        let mut head = Vec::new();
        csv_head(group, &mut head);
        for (time, values) in rows(points, answer) {
            out.extend_from_slice(&head);
            time.write_rfc3339(&mut out);
            for value in values {
                out.push(b',');
                // An empty field is what CSV has for null.
                if value.is_finite() {
                    write_json_number(&mut out, *value);
                }
            }
            out.push(b'\n');
        }
    }
    out
}

/// The spans alone, for formats that have no place for them.
pub fn spans_json(spans: &[Span]) -> Vec<u8> {
    let mut out = b"[".to_vec();
    separated(spans, &mut out, span);
    out.push(b']');
    out
}

fn points(answer: &Answer) -> usize {
    answer.groups.iter().map(|(_, points)| points.times.len()).sum::<usize>() * answer.columns.len()
}

fn rows<'a>(points: &'a Points, answer: &Answer) -> impl Iterator<Item = (&'a Micros, &'a [f64])> {
    points.times.iter().zip(points.values.chunks(answer.columns.len().max(1)))
}

fn series(group: &Group, points: &Points, answer: &Answer, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(server_id) = group.server_id {
        out.extend_from_slice(b"\"server_id\":\"");
        out.extend_from_slice(server_id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
        out.extend_from_slice(b"\",");
    }
    for (name, text) in [("\"metric_type\":", &group.metric_type), ("\"metric_name\":", &group.metric_name)] {
        if let Some(text) = text {
            out.extend_from_slice(name.as_bytes());
            write_json_string(out, text);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"labels\":");
    labels(group, out);
    out.extend_from_slice(b",\"points\":[");
    for (place, (time, values)) in rows(points, answer).enumerate() {
        out.extend_from_slice(if place > 0 { b",[\"" } else { b"[\"" });
        time.write_rfc3339(out);
        out.push(b'"');
        for value in values {
            out.push(b',');
            write_json_number(out, *value);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
}

fn labels(group: &Group, out: &mut Vec<u8>) {
    out.push(b'{');
    separated(&group.labels, out, |(name, value), out| {
        write_json_string(out, name);
        out.push(b':');
        write_json_string(out, value);
    });
    out.push(b'}');
}

/// What the points were made of: the fields beside the series.
fn about(answer: &Answer, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"agg\":[");
    separated(&answer.columns, out, |column, out| write_json_string(out, column));
    out.extend_from_slice(b"],\"step_s\":");
    match answer.step_micros {
        Some(step) => write_json_number(out, step as f64 / Micros::PER_SECOND as f64),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"spans\":");
    out.extend_from_slice(&spans_json(&answer.spans));
}

fn span(span: &Span, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"from\":\"");
    span.from.write_rfc3339(out);
    out.extend_from_slice(b"\",\"to\":\"");
    span.to.write_rfc3339(out);
    let resolution_s = span.tier.micros() / Micros::PER_SECOND;
    let (tier, complete) = (span.tier, span.gap.is_none());
    let rest = format!("\",\"tier\":\"{tier}\",\"resolution_s\":{resolution_s},\"complete\":{complete}");
    out.extend_from_slice(rest.as_bytes());
    if let Some(gap) = span.gap {
        out.extend_from_slice(b",\"reason\":");
        write_json_string(out, gap);
    }
    out.push(b'}');
}

fn csv_head(group: &Group, out: &mut Vec<u8>) {
    if let Some(server_id) = group.server_id {
        out.extend_from_slice(server_id.to_string().as_bytes());
    }
    for text in [&group.metric_type, &group.metric_name] {
        out.push(b',');
        csv_text(text.as_deref().unwrap_or_default().as_bytes(), out);
    }
    out.push(b',');
    let mut text = Vec::new();
    labels(group, &mut text);
    csv_text(&text, out);
    out.push(b',');
}

fn separated<T>(items: &[T], out: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

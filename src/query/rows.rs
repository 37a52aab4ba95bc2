//! Rows as text: the source system's JSON, the same one a line, or CSV.

use super::page::Page;
use crate::model::{Micros, Sample, SeriesId};
use crate::wire::lines::csv_text::csv_text;
use crate::wire::native::{write_json_number, write_labels, write_metric};

/// The head of a CSV answer.
pub const CSV_HEAD: &str = "server_id,metric_type,metric_name,value,labels,timestamp\n";

/// One page as the source system answers it, with the cursor of the next one beside it.
pub fn json(page: &Page) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + page.rows.len() * 256);
    out.extend_from_slice(b"{\"metrics\":[");
    for (place, row) in page.rows.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        metric(row, &mut out);
    }
    out.extend_from_slice(b"],\"count\":");
    out.extend_from_slice(page.rows.len().to_string().as_bytes());
    if let Some(next) = page.next {
        out.extend_from_slice(format!(",\"next_cursor\":\"{next}\"").as_bytes());
    }
    out.push(b'}');
    out
}

pub fn ndjson_line(row: &Sample, out: &mut Vec<u8>) {
    metric(row, out);
    out.push(b'\n');
}

pub fn csv_line(row: &Sample, out: &mut Vec<u8>) {
    let identity = &row.series.identity;
    out.extend_from_slice(row.series.server_id.to_string().as_bytes());
    out.push(b',');
    csv_text(identity.metric_type().as_bytes(), out);
    out.push(b',');
    csv_text(identity.metric_name().as_bytes(), out);
    out.push(b',');
    write_json_number(out, row.value);
    out.push(b',');
    let mut labels = Vec::new();
    write_labels(&mut labels, identity.labels());
    csv_text(&labels, out);
    out.push(b',');
    row.time.write_rfc3339(out);
    out.push(b'\n');
}

fn metric(row: &Sample, out: &mut Vec<u8>) {
    write_metric(out, row_id(row.series.id, row.time), &row.series, row.time, row.value);
}

/// The number clients get as a row's id. No row of its own stands behind a sample, so it is made from what identifies
/// one: the same sample always has the same number, below 2^53 so that every client holds it exactly.
fn row_id(series: SeriesId, time: Micros) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (time.0 as u64 ^ u64::from(series.0).wrapping_mul(ODD)).wrapping_mul(ODD);
    (mixed ^ (mixed >> 29)).wrapping_mul(ODD) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_ids_stay_exact_in_a_float_and_tell_neighbours_apart() {
        let ids: std::collections::HashSet<u64> = (0..1000_u32)
            .flat_map(|series| (0..10_i64).map(move |second| row_id(SeriesId(series), Micros(second * 1_000_000))))
            .collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| *id < 1 << 53));
    }
}

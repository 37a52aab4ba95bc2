//! Promises of the frame checker: what is missing, foreign, wrong or double is told apart.

use super::*;
use crate::data::stream::Shape;
use crate::data::{Fleet, TimeGrid};

fn ledger() -> Ledger {
    let fleet = Fleet::new(5, 2, TimeGrid { end_ms: 1_763_600_000_000, span_ms: 100_000, step_ms: 1000 });
    Ledger::new(fleet, Shape { hosts: 1, steps: 10 }).unwrap()
}

fn frame(ledger: &Ledger, series: usize, step: u32) -> String {
    let host = &ledger.fleet().hosts[series / METRICS.len()];
    serde_json::json!({"type": "metric", "data": {
        "id": 0, "server_id": host.id, "metric_type": METRIC_TYPE, "metric_name": METRICS[series % METRICS.len()],
        "value": ledger.value(series, step), "labels": {"region": "x"},
        "timestamp": clock::rfc3339_text(ledger.fleet().time_ms(step)),
    }})
    .to_string()
}

#[test]
fn a_frame_is_seen_once_and_anything_else_is_named() {
    let (ledger, shared) = (ledger(), Shared::default());
    let mut tally = Tally::new(13, ledger.fleet().steps_max);
    tally.note(&frame(&ledger, 13, 0), &ledger, &shared);
    tally.note(&frame(&ledger, 13, 99), &ledger, &shared);
    tally.note(&frame(&ledger, 13, 99), &ledger, &shared);
    tally.note(&frame(&ledger, 3, 1), &ledger, &shared);
    tally.note(&frame(&ledger, 14, 1), &ledger, &shared);
    tally.note(&frame(&ledger, 13, 2).replace("\"value\":", "\"value\":1"), &ledger, &shared);
    tally.note(r#"{"type":"lagged","data":{"dropped":3}}"#, &ledger, &shared);
    tally.note("not json", &ledger, &shared);
    let seen: u32 = tally.seen.iter().map(|word| word.count_ones()).sum();
    assert_eq!((seen, tally.duplicate, tally.foreign, tally.wrong, tally.notices), (3, 1, 2, 1, 2));
    assert_eq!(ledger.received(), 3);
}

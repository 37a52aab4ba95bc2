//! The bulk body: each rule in a table, whole documents against a naive model, any bytes against `serde_json`.

mod differential;
mod encoding;
mod identities;
mod model;
mod rules;

use super::*;
use crate::model::{Code, Intake};

const SERVER: &str = "7b0c7a52-5c1e-4b0e-9d8f-6f8b7f0f9a11";
const OTHER_SERVER: &str = "11111111-2222-4333-8444-555555555555";

fn decoded(body: &str) -> Intake {
    let mut intake = Intake::default();
    decode(body.as_bytes(), &mut intake).unwrap_or_else(|error| panic!("{error}: {body}"));
    intake
}

fn document_error(body: impl AsRef<[u8]>) -> String {
    let refused = decode(body.as_ref(), &mut Intake::default());
    refused.expect_err(&String::from_utf8_lossy(body.as_ref())).to_string()
}

/// A document with a server and these items.
fn with_items(items: &str) -> String {
    format!(r#"{{"server_id":"{SERVER}","metrics":[{items}]}}"#)
}

/// A good item in which `field` is spelt `spelling`; without that field when the spelling is empty.
fn item_with(field: &str, spelling: &str) -> String {
    let fields = [
        ("metric_type", r#""cpu""#),
        ("metric_name", r#""usage""#),
        ("value", "45.2"),
        ("labels", r#"{"core":"0"}"#),
        ("timestamp", r#""2025-11-20T10:00:00Z""#),
    ];
    let known = fields.iter().any(|(name, _)| *name == field);
    let more = (!known && !field.is_empty()).then_some((field, spelling));
    let fields =
        fields.into_iter().map(|(name, usual)| (name, if name == field { spelling } else { usual })).chain(more);
    let spelt =
        fields.filter(|(_, spelling)| !spelling.is_empty()).map(|(name, spelling)| format!("\"{name}\":{spelling}"));
    format!("{{{}}}", spelt.collect::<Vec<_>>().join(","))
}

/// The one verdict of a document that holds a good item, `item` and another good item; the good ones must be kept.
fn verdict(item: &str) -> (Code, String) {
    let good = item_with("", "");
    let intake = decoded(&with_items(&format!("{good},{item},{good}")));
    assert_eq!(intake.items, 3, "{item}");
    assert_eq!(intake.points.items, [0, 2], "{item}");
    assert_eq!(intake.verdicts.listed()[0].index, 1, "{item}");
    (intake.verdicts.listed()[0].code, intake.verdicts.listed()[0].message.clone())
}

/// The one value of a document that holds `item` only.
fn value(item: &str) -> f64 {
    let intake = decoded(&with_items(item));
    assert_eq!(intake.points.len(), 1, "{item}: {:?}", intake.verdicts.listed());
    intake.points.values[0]
}

//! What is wrong with a document, in the words of the library that the systems checked theirs with: their clients know
//! its shape. All problems of a document are told at once.

use std::fmt::Write as _;

use serde_json::json;

use crate::wire::json::Kind;
use crate::wire::tree::Value;

/// Most problems of one document that are told.
const PROBLEMS_MAX: usize = 100;
/// Longest input that is shown beside its problem.
const INPUT_BYTES_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

#[derive(Clone, Debug, PartialEq)]
struct Problem {
    kind: &'static str,
    place: Vec<Step>,
    message: String,
    input: serde_json::Value,
}

/// A step to where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Name(&'static str),
    Index(usize),
}

/// Where in the document we are; the body itself is understood.
pub type Place<'a> = &'a [Step];

impl Problems {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the value of `detail`.
    pub fn detail(&self) -> serde_json::Value {
        let steps = |place: &[Step]| -> Vec<serde_json::Value> {
            let step = |step: &Step| match step {
                Step::Name(name) => json!(name),
                Step::Index(index) => json!(index),
            };
            std::iter::once(json!("body")).chain(place.iter().map(step)).collect()
        };
        let shown = |problem: &Problem| json!({"type": problem.kind, "loc": steps(&problem.place), "msg": problem.message, "input": problem.input});
        self.0.iter().map(shown).collect()
    }

    /// The member of this name, which must be there.
    pub fn needed<'t>(&mut self, object: Value<'t>, place: Place<'_>, name: &'static str) -> Option<Value<'t>> {
        let found = object.get(name);
        if found.is_none() {
            self.add("missing", &[place, &[Step::Name(name)]].concat(), "Field required", object);
        }
        found
    }

    pub fn object<'t>(&mut self, value: Value<'t>, place: Place<'_>) -> Option<Value<'t>> {
        let is_object = value.kind() == Kind::Object;
        if !is_object {
            let message = "Input should be a valid dictionary or object to extract fields from";
            self.add("model_attributes_type", place, message, value);
        }
        is_object.then_some(value)
    }

    pub fn list<'t>(&mut self, value: Value<'t>, place: Place<'_>) -> Vec<Value<'t>> {
        if value.kind() != Kind::Array {
            self.add("list_type", place, "Input should be a valid list", value);
        }
        value.elements().collect()
    }

    pub fn text(&mut self, value: Value<'_>, place: Place<'_>) -> Option<String> {
        let text = value.text().map(|text| text.into_owned());
        if text.is_none() {
            self.add("string_type", place, "Input should be a valid string", value);
        }
        text
    }

    /// A number, or a text that is one.
    pub fn number(&mut self, value: Value<'_>, place: Place<'_>) -> Option<f64> {
        let text = value.text();
        let parsed =
            text.as_deref().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
        let number = value.number().or(parsed);
        if number.is_none() {
            let (kind, message) = match text {
                Some(_) => ("float_parsing", "Input should be a valid number, unable to parse string as a number"),
                None => ("float_type", "Input should be a valid number"),
            };
            self.add(kind, place, message, value);
        }
        number
    }

    /// A whole number.
    pub fn integer(&mut self, value: Value<'_>, place: Place<'_>) -> Option<i64> {
        let text = value.text();
        let integer = value.integer().or_else(|| text.as_deref()?.trim().parse().ok());
        if integer.is_none() {
            let (kind, message) = match (value.kind(), text) {
                (Kind::Number, _) => {
                    ("int_from_float", "Input should be a valid integer, got a number with a fractional part")
                }
                (_, Some(_)) => {
                    ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
                }
                _ => ("int_type", "Input should be a valid integer"),
            };
            self.add(kind, place, message, value);
        }
        integer
    }

    pub fn add(&mut self, kind: &'static str, place: Place<'_>, message: &str, input: Value<'_>) {
        if self.0.len() < PROBLEMS_MAX {
            let input = match input.raw() {
                raw if raw.len() <= INPUT_BYTES_MAX => serde_json::from_slice(raw).unwrap_or_default(),
                _ => json!("…"),
            };
            self.0.push(Problem { kind, place: place.to_vec(), message: message.to_owned(), input });
        }
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let mut path = String::new();
            for step in &problem.place {
                match step {
                    Step::Name(name) => write!(path, ".{name}")?,
                    Step::Index(index) => write!(path, "[{index}]")?,
                }
            }
            let path = path.trim_start_matches('.');
            write!(out, "{}{path}: {}", if place > 0 { "; " } else { "" }, problem.message)?;
        }
        Ok(())
    }
}

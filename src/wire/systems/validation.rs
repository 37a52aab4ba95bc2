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

/// A way to be wrong, and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    kind: &'static str,
    message: &'static str,
}

const fn wrong(kind: &'static str, message: &'static str) -> Wrong {
    Wrong { kind, message }
}

pub const MISSING: Wrong = wrong("missing", "Field required");
pub const NO_OBJECT: Wrong =
    wrong("model_attributes_type", "Input should be a valid dictionary or object to extract fields from");
pub const NO_LIST: Wrong = wrong("list_type", "Input should be a valid list");
pub const NO_TEXT: Wrong = wrong("string_type", "Input should be a valid string");
pub const NO_NUMBER: Wrong = wrong("float_type", "Input should be a valid number");
pub const NO_NUMBER_IN_TEXT: Wrong =
    wrong("float_parsing", "Input should be a valid number, unable to parse string as a number");
pub const NO_INTEGER: Wrong = wrong("int_type", "Input should be a valid integer");
pub const NO_INTEGER_IN_TEXT: Wrong =
    wrong("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
pub const FRACTION: Wrong =
    wrong("int_from_float", "Input should be a valid integer, got a number with a fractional part");
pub const NO_TIME: Wrong = wrong("datetime_parsing", "Input should be a valid datetime");
pub const NO_JSON: Wrong = wrong("json_invalid", "JSON decode error");

impl Wrong {
    /// As an element of `detail`: where it is, and what was sent, as far as that is shown.
    pub fn told(self, place: &serde_json::Value, input: &serde_json::Value) -> serde_json::Value {
        json!({ "type": self.kind, "loc": place, "msg": self.message, "input": input })
    }
}

#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

#[derive(Clone, Debug, PartialEq)]
struct Problem {
    wrong: Wrong,
    place: Vec<Step>,
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
        let shown = |problem: &Problem| problem.wrong.told(&steps(&problem.place).into(), &problem.input);
        self.0.iter().map(shown).collect()
    }

    /// The member of this name, which must be there.
    pub fn needed<'t>(&mut self, object: Value<'t>, place: Place<'_>, name: &'static str) -> Option<Value<'t>> {
        let found = object.get(name);
        if found.is_none() {
            self.add(MISSING, &[place, &[Step::Name(name)]].concat(), object);
        }
        found
    }

    pub fn object<'t>(&mut self, value: Value<'t>, place: Place<'_>) -> Option<Value<'t>> {
        let is_object = value.kind() == Kind::Object;
        if !is_object {
            self.add(NO_OBJECT, place, value);
        }
        is_object.then_some(value)
    }

    pub fn list<'t>(&mut self, value: Value<'t>, place: Place<'_>) -> Vec<Value<'t>> {
        if value.kind() != Kind::Array {
            self.add(NO_LIST, place, value);
        }
        value.elements().collect()
    }

    pub fn text(&mut self, value: Value<'_>, place: Place<'_>) -> Option<String> {
        let text = value.text().map(|text| text.into_owned());
        if text.is_none() {
            self.add(NO_TEXT, place, value);
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
            self.add(if text.is_some() { NO_NUMBER_IN_TEXT } else { NO_NUMBER }, place, value);
        }
        number
    }

    /// A whole number.
    pub fn integer(&mut self, value: Value<'_>, place: Place<'_>) -> Option<i64> {
        let text = value.text();
        let integer = value.integer().or_else(|| text.as_deref()?.trim().parse().ok());
        if integer.is_none() {
            let wrong = match (value.kind(), text) {
                (Kind::Number, _) => FRACTION,
                (_, Some(_)) => NO_INTEGER_IN_TEXT,
                _ => NO_INTEGER,
            };
            self.add(wrong, place, value);
        }
        integer
    }

    pub fn add(&mut self, wrong: Wrong, place: Place<'_>, input: Value<'_>) {
        if self.0.len() < PROBLEMS_MAX {
            let input = match input.raw() {
                raw if raw.len() <= INPUT_BYTES_MAX => serde_json::from_slice(raw).unwrap_or_default(),
                _ => json!("…"),
            };
            self.0.push(Problem { wrong, place: place.to_vec(), input });
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
            write!(out, "{}{path}: {}", if place > 0 { "; " } else { "" }, problem.wrong.message)?;
        }
        Ok(())
    }
}

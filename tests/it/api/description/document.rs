//! The description of the API, read far enough to hold an answer against it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::server::Answer;

/// One operation and one of its statuses.
pub(in crate::api) type Place = (String, String, u16);

#[derive(Debug)]
pub(in crate::api) struct Document(Value);

impl Document {
    pub(in crate::api) fn new(document: Value) -> Self {
        Self(document)
    }

    /// Every method and path.
    pub(in crate::api) fn operations(&self) -> BTreeSet<(String, String)> {
        self.places().into_iter().map(|(method, path, _)| (method, path)).collect()
    }

    /// Every method, path and status.
    pub(in crate::api) fn places(&self) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for (path, operations) in object(&self.0["paths"]) {
            for (method, operation) in object(operations) {
                let statuses = object(&operation["responses"]).map(|(status, _)| status.parse().unwrap());
                places.extend(statuses.map(|status| (method.to_uppercase(), path.clone(), status)));
            }
        }
        places
    }

    /// Asserts that `answer` is one that the operation is described to give, down to the fields of its body.
    #[track_caller]
    pub(in crate::api) fn assert_describes(&self, (method, path, status): &Place, answer: &Answer) {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "{method} {path} is not described to answer {status}: {answer:?}");
        let response = self.resolve(response);
        for (name, _) in response.get("headers").into_iter().flat_map(object) {
            assert!(answer.header(&name.to_lowercase()).is_some(), "{method} {path} {status} has no {name}");
        }
        let Some(content) = response.get("content") else { return };
        let content_type = answer.header("content-type").expect("a body has a type");
        let schema = &content[content_type]["schema"];
        assert!(schema.is_object(), "{method} {path} is not described to answer {content_type}");
        let at = format!("{method} {path} {status}");
        let problem = match content_type {
            "application/json" => self.problem(schema, &answer.json(), &at),
            "application/x-ndjson" => {
                answer.text().lines().find_map(|line| self.problem(schema, &serde_json::from_str(line).unwrap(), &at))
            }
            _ => None,
        };
        assert_eq!(problem, None, "{}", answer.text());
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref") else { return value };
        self.0.pointer(&reference.as_str().unwrap()[1..]).unwrap()
    }

    /// The first place where `value` is not what `schema` says. An object may have no field that is not described,
    /// unless the description says that it may.
    fn problem(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let schema = self.resolve(schema);
        if let Some(any) = schema.get("anyOf") {
            let problems: Vec<String> =
                any.as_array().unwrap().iter().map_while(|schema| self.problem(schema, value, at)).collect();
            return (problems.len() == any.as_array().unwrap().len()).then(|| problems.join(", and "));
        }
        if !is_of_type(schema, value) {
            return Some(format!("{at}: {value} is not of type {}", schema["type"]));
        }
        let is_allowed = |allowed: &Value| allowed.as_array().unwrap().contains(value);
        if schema.get("const").is_some_and(|only| only != value) || !schema.get("enum").is_none_or(is_allowed) {
            return Some(format!("{at}: {value} is none of the values described"));
        }
        if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
            return list
                .iter()
                .enumerate()
                .find_map(|(index, item)| self.problem(items, item, &format!("{at}/{index}")));
        }
        value.as_object().and_then(|_| self.problem_of_object(schema, value, at))
    }

    fn problem_of_object(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        if let Some(missing) = required.find(|name| value.get(name.as_str().unwrap()).is_none()) {
            return Some(format!("{at}: {missing} is missing"));
        }
        let (known, other) = (schema.get("properties"), schema.get("additionalProperties"));
        object(value).find_map(|(name, field)| {
            let at = format!("{at}/{name}");
            match (known.and_then(|known| known.get(name)), other) {
                (Some(schema), _) => self.problem(schema, field, &at),
                (None, Some(Value::Bool(true))) => None,
                (None, Some(schema @ Value::Object(_))) => self.problem(schema, field, &at),
                (None, _) if known.is_none() => None,
                (None, _) => Some(format!("{at} is not described")),
            }
        })
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is_of_type(schema: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.as_str().is_some_and(|text| has_format(schema, text)),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type of JSON: {other}"),
    };
    match schema.get("type") {
        None => true,
        Some(Value::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
    }
}

fn has_format(schema: &Value, text: &str) -> bool {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => uuid::Uuid::try_parse(text).is_ok(),
        Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
        _ => true,
    }
}

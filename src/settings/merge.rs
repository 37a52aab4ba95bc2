//! Values over defaults, and what of a value is not a default. Objects are merged field by field, all else is replaced.

use serde_json::{Map, Value};

/// `given` over `base`. A given null inside an object replaces; a null on top is nothing.
pub(super) fn over(base: Value, given: &Value) -> Value {
    match (base, given) {
        (base, Value::Null) => base,
        (Value::Object(mut base), Value::Object(given)) => {
            for (name, value) in given {
                let merged = match (base.remove(name), value) {
                    (Some(below @ Value::Object(_)), Value::Object(_)) => over(below, value),
                    _ => value.clone(),
                };
                base.insert(name.clone(), merged);
            }
            Value::Object(base)
        }
        (_, given) => given.clone(),
    }
}

/// What has to be put over `base` to have `value`.
pub(super) fn difference(value: &Value, base: &Value) -> Value {
    let (Value::Object(value), Value::Object(base)) = (value, base) else { return value.clone() };
    let mut different = Map::new();
    for (name, field) in value {
        match base.get(name) {
            Some(below) if below == field => {}
            Some(below) => {
                different.insert(name.clone(), difference(field, below));
            }
            None => {
                different.insert(name.clone(), field.clone());
            }
        }
    }
    Value::Object(different)
}

/// The dotted names of all that is not an object.
pub(super) fn paths(value: &Value) -> Vec<String> {
    let Value::Object(fields) = value else { return Vec::new() };
    let mut all = Vec::new();
    for (name, field) in fields {
        match field {
            Value::Object(_) => all.extend(paths(field).into_iter().map(|path| format!("{name}.{path}"))),
            _ => all.push(name.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_an_object_leaves_the_rest_of_it_alone() {
        let base = json!({ "a": 1, "b": { "c": 2, "d": [3, 4], "e": null } });
        let merged = over(base.clone(), &json!({ "b": { "d": [5], "e": 6 } }));
        assert_eq!(merged, json!({ "a": 1, "b": { "c": 2, "d": [5], "e": 6 } }));
        assert_eq!(over(base.clone(), &Value::Null), base);
        assert_eq!(over(base, &json!({ "a": null }))["a"], Value::Null);
        assert_eq!(paths(&json!({ "a": 1, "b": { "c": { "d": [] } } })), ["a", "b.c.d"]);
    }

    fn settings() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), any::<i8>().prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop::collection::hash_map("[a-c]", inner, 0..4).prop_map(|fields| fields.into_iter().collect())
        })
    }

    proptest! {
        #[test]
        fn what_differs_put_over_the_defaults_is_what_was_set(
            given in settings().prop_filter("an object", Value::is_object),
            base in settings().prop_filter("an object", Value::is_object),
        ) {
            let value = over(base.clone(), &given);
            prop_assert_eq!(over(base.clone(), &difference(&value, &base)), value);
        }
    }
}

//! The tree against a parser that everybody trusts, and what it takes beyond the grammar.

use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-z\"\\\\ é]{0,4}", inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// The document that `value` shows.
fn shown(value: Value<'_>) -> serde_json::Value {
    use crate::wire::json::Kind;
    match value.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Boolean => value.boolean().unwrap().into(),
        Kind::Number => match (value.integer(), std::str::from_utf8(value.raw()).unwrap().contains(['.', 'e'])) {
            (Some(integer), false) => integer.into(),
            _ => value.number().unwrap().into(),
        },
        Kind::String => value.text().unwrap().into(),
        Kind::Array => value.elements().map(shown).collect::<Vec<_>>().into(),
        Kind::Object => value
            .members()
            .map(|(name, value)| (name.into_owned(), shown(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

proptest! {
    #[test]
    fn a_document_is_seen_as_it_is(document in value(), is_pretty in any::<bool>()) {
        let text = if is_pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.unwrap();
        let tree = Tree::read(text.as_bytes(), Leniency::Strict).unwrap();
        prop_assert_eq!(shown(tree.root()), document);
        prop_assert_eq!(tree.root().raw(), text.as_bytes());
    }

    #[test]
    fn what_is_not_json_is_refused_and_what_is_is_not(text in "[\\[\\]{}:,\"0-9a-z.\\- ]{0,16}") {
        let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Tree::read(text.as_bytes(), Leniency::Strict).is_ok(), expected, "{}", text);
        drop(Tree::read(text.as_bytes(), Leniency::PrintedNan));
    }
}

#[test]
fn numbers_that_are_none_are_null_where_programs_print_them() {
    for spelt in ["nan", "-nan", "NaN", "-nan(ind)", "inf", "-Infinity", "1.#QNAN", "-1.#IND"] {
        let text = format!(r#"{{"a":{spelt},"b":[{spelt}, 1]}}"#);
        let tree = Tree::read(text.as_bytes(), Leniency::PrintedNan).unwrap();
        assert!(tree.root().get("a").unwrap().is_null(), "{spelt}");
        assert_eq!(tree.root().get("b").unwrap().elements().last().unwrap().number(), Some(1.0), "{spelt}");
        assert!(Tree::read(text.as_bytes(), Leniency::Strict).is_err(), "{spelt}");
    }
    let tree = Tree::read(b"[null, 1.5, -1]", Leniency::PrintedNan).unwrap();
    assert_eq!(tree.root().elements().filter_map(Value::number).collect::<Vec<_>>(), [1.5, -1.0]);
}

#[test]
fn whole_numbers_are_integers_however_they_are_written() {
    let integers = |text: &str| Tree::read(text.as_bytes(), Leniency::Strict).unwrap().root().integer();
    assert_eq!(integers("30"), Some(30));
    assert_eq!(integers("30.0"), Some(30));
    assert_eq!(integers("3e1"), Some(30));
    assert_eq!(integers("9223372036854775807"), Some(i64::MAX));
    assert_eq!(integers("30.5"), None);
    assert_eq!(integers("true"), None);
    assert_eq!(integers("1e300"), None);
}

#[test]
fn a_tree_is_bounded_in_depth_and_size() {
    let deep = "[".repeat(100_000);
    assert!(matches!(Tree::read(deep.as_bytes(), Leniency::Strict), Err(Fault::Json(_))));
    let wide = format!("[{}0]", "0,".repeat(NODES_MAX));
    assert_eq!(Tree::read(wide.as_bytes(), Leniency::Strict).unwrap_err(), Fault::TooManyValues);
}

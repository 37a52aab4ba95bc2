//! Webhook bodies in the words of their receiver: JSON with `{{placeholders}}` within its texts. Pure.
//!
//! A placeholder is replaced by its value, written as within a JSON text, so it stands between quotes. Without quotes
//! there are `{{alerts}}`, a list, and `{{value}}`, a number or null. Of several alerts in one notice the first one's
//! fields are meant.

use serde_json::{Value, json};

use super::Wording;
use crate::alert::notice::{Body, Told};

/// The longest template.
const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("is at most {TEMPLATE_BYTES_MAX} bytes long")]
    TooLong,
    #[error("has a {{{{ that nothing ends")]
    Open,
    #[error("there is no {{{{{0}}}}}")]
    Unknown(String),
    #[error("does not make JSON")]
    NoJson,
}

/// Whether it makes JSON of every notice.
pub(super) fn check(template: &str) -> Result<(), TemplateError> {
    if template.len() > TEMPLATE_BYTES_MAX {
        return Err(TemplateError::TooLong);
    }
    let awkward = Told { value: Some(0.5), title: "\"\\\n{{subject}}".to_owned(), ..nobody() };
    for body in
        [Body::Test, Body::Alerts { alerts: vec![nobody()], more: 0 }, Body::Alerts { alerts: vec![awkward], more: 0 }]
    {
        fill(template, &body)?;
    }
    Ok(())
}

/// The body for a notice.
pub(super) fn fill(template: &str, body: &Body) -> Result<String, TemplateError> {
    let fields = fields(body);
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after.split_once(CLOSE).ok_or(TemplateError::Open)?;
        let value = fields.get(name.trim()).ok_or_else(|| TemplateError::Unknown(name.trim().to_owned()))?;
        filled.push_str(before);
        match value {
            Value::String(text) => {
                let quoted = Value::from(text.as_str()).to_string();
                filled.push_str(&quoted[1..quoted.len() - 1]);
            }
            other => filled.push_str(&other.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&filled).is_ok();
    if is_json { Ok(filled) } else { Err(TemplateError::NoJson) }
}

fn fields(body: &Body) -> Value {
    let Wording { subject, text, .. } = Wording::of(body);
    let alerts: &[Told] = match body {
        Body::Alerts { alerts, .. } => alerts,
        _ => &[],
    };
    let nobody = nobody();
    let first = alerts.first().unwrap_or(&nobody);
    json!({
        "subject": subject, "message": text, "text": text, "alerts": alerts, "change": first.change,
        "severity": first.severity, "rule": first.rule, "rule_id": first.rule_id, "title": first.title,
        "server_id": first.server_id.map(|id| id.to_string()).unwrap_or_default(), "hostname": first.hostname,
        "metric_type": first.metric_type, "metric_name": first.metric_name, "value": first.value,
        "condition": first.condition, "at": first.at, "notes": first.notes,
    })
}

fn nobody() -> Told {
    Told {
        change: String::new(),
        rule_id: 0,
        rule: String::new(),
        severity: String::new(),
        title: String::new(),
        server_id: None,
        hostname: String::new(),
        metric_type: String::new(),
        metric_name: String::new(),
        labels: serde_json::Map::new(),
        value: None,
        condition: String::new(),
        at: String::new(),
        notes: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_become_values_and_stay_json_whatever_is_in_them() {
        let mut told = super::super::wording::tests::told("firing", "critical");
        told.hostname = "a\"b\\c\n{{value}}".to_owned();
        let body = Body::Alerts { alerts: vec![told], more: 0 };
        let template = r#"{"host":"on {{ hostname }}!","v":{{value}},"n":"{{value}}","all":{{alerts}}}"#;
        let filled: Value = serde_json::from_str(&fill(template, &body).unwrap()).unwrap();
        assert_eq!(filled["host"], "on a\"b\\c\n{{value}}!");
        assert_eq!((&filled["v"], &filled["n"]), (&json!(95.5), &json!("95.5")));
        assert_eq!(filled["all"][0]["rule_id"], 7);
    }

    #[test]
    fn a_template_that_does_not_always_make_json_is_refused_with_the_reason() {
        let check = |template: &str| super::check(template).unwrap_err().to_string();
        assert_eq!(check("{\"a\":{{title}}}"), "does not make JSON");
        assert_eq!(check("{\"a\":\"{{titel}}\"}"), "there is no {{titel}}");
        assert_eq!(check("{\"a\":\"{{title\"}"), "has a {{ that nothing ends");
        assert_eq!(check(&" ".repeat(20_000)), "is at most 16384 bytes long");
        assert_eq!(super::check("{\"a\":\"{{title}}\",\"b\":{{value}}}"), Ok(()));
    }

    proptest! {
        #[test]
        fn no_value_gets_out_of_its_text(title in any::<String>(), notes in any::<String>()) {
            let told = Told { title: title.clone(), notes: notes.clone(), ..nobody() };
            let filled = fill(r#"{"a":"{{title}}","b":"{{notes}}"}"#, &Body::Alerts { alerts: vec![told], more: 0 }).unwrap();
            let filled: Value = serde_json::from_str(&filled).unwrap();
            prop_assert_eq!(filled, json!({ "a": title, "b": notes }));
        }
    }
}

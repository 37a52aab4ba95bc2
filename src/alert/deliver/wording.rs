//! What is told, in words: a subject and lines for people. Pure. Knows no channel but bounds that all of them need.

use std::fmt::Write as _;

use crate::alert::notice::{Body, Told};

/// Alerts of one notice that are written out; of the others it is told how many they are.
const WRITTEN_MAX: usize = 20;
/// The longest subject.
const SUBJECT_CHARS_MAX: usize = 200;
const TEST: &str = "This is a test. Alerts will arrive here.";

/// What is told, before it takes the form of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wording {
    /// One line.
    pub(super) subject: String,
    /// Lines.
    pub(super) text: String,
    pub(super) urgency: Urgency,
}

/// How much it matters to those who are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// It is over, or a test.
    Calm,
    Info,
    Warning,
    Critical,
}

impl Wording {
    pub(super) fn of(body: &Body) -> Self {
        match body {
            Body::Alerts { alerts, more } => Self::of_alerts(alerts, *more),
            Body::Worded { subject, message } => {
                Self { subject: line(subject), text: message.clone(), urgency: Urgency::Warning }
            }
            Body::Telegram { text } => Self {
                subject: line(text.lines().next().unwrap_or("Alert")),
                text: text.clone(),
                urgency: Urgency::Warning,
            },
            Body::Test => {
                Self { subject: "Test of Millrace alerts".to_owned(), text: TEST.to_owned(), urgency: Urgency::Calm }
            }
        }
    }

    /// The subject, and below it the text.
    pub(super) fn whole(&self) -> String {
        format!("{}\n{}", self.subject, self.text)
    }

    fn of_alerts(alerts: &[Told], more: u64) -> Self {
        let urgency = alerts.iter().map(Urgency::of).max().unwrap_or(Urgency::Calm);
        let subject = match alerts {
            [alert] if more == 0 => format!("[{}] {}", state(alert), alert.title),
            alerts => {
                let over = alerts.iter().filter(|alert| is_over(alert)).count();
                let title = alerts.first().map_or("", |alert| alert.title.as_str());
                let over = if over > 0 && more == 0 { format!(", {over} resolved") } else { String::new() };
                format!("[{} alerts{over}] {title}", alerts.len() as u64 + more)
            }
        };
        let written: Vec<String> = alerts.iter().take(WRITTEN_MAX).map(paragraph).collect();
        let mut text = written.join("\n\n");
        let unwritten = alerts.len().saturating_sub(WRITTEN_MAX) as u64 + more;
        if unwritten > 0 {
            write!(text, "\n\nand {unwritten} more").ok();
        }
        Self { subject: line(&subject), text, urgency }
    }
}

impl Urgency {
    fn of(alert: &Told) -> Self {
        match alert.severity.as_str() {
            _ if is_over(alert) => Self::Calm,
            "critical" => Self::Critical,
            "info" => Self::Info,
            _ => Self::Warning,
        }
    }
}

/// `text`, cut between two characters where it has more than `chars_max`.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The same for those who count as JavaScript does.
pub(super) fn cut_units(text: &str, units_max: usize) -> String {
    if text.encode_utf16().count() <= units_max {
        return text.to_owned();
    }
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units < units_max
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

fn is_over(alert: &Told) -> bool {
    alert.change == "resolved"
}

fn state(alert: &Told) -> String {
    let state = match alert.change.as_str() {
        "resolved" => return "resolved".to_owned(),
        "reminder" => "still firing",
        "no_data" => "no data",
        other => other,
    };
    format!("{} {state}", alert.severity)
}

fn paragraph(alert: &Told) -> String {
    let mut text = format!("[{}] {}", state(alert), alert.title);
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            write!(text, "\n{name}: {value}").ok();
        }
    };
    add("Server", &alert.hostname);
    add("Metric", &metric(alert));
    add("Value", &alert.value.map(|value| value.to_string()).unwrap_or_default());
    add("Condition", &alert.condition);
    add("Rule", &alert.rule);
    add("At", &alert.at);
    add("Notes", &alert.notes);
    text
}

fn metric(alert: &Told) -> String {
    if alert.metric_name.is_empty() {
        return alert.metric_type.clone();
    }
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    format!("{}/{}{labels}", alert.metric_type, alert.metric_name)
}

/// As one line that a header can hold.
fn line(text: &str) -> String {
    cut(&text.replace(char::is_control, " "), SUBJECT_CHARS_MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(in super::super) fn told(change: &str, severity: &str) -> Told {
        serde_json::from_value(json!({
            "change": change, "rule_id": 7, "rule": "cpu", "severity": severity, "title": "cpu is high on web-1",
            "server_id": null, "hostname": "web-1", "metric_type": "cpu", "metric_name": "usage",
            "labels": {"core": "0"}, "value": 95.5, "condition": "> 90 for 5m", "at": "2026-11-20T10:00:00Z",
            "notes": "see \"the\" runbook",
        }))
        .unwrap()
    }

    #[test]
    fn one_alert_is_told_with_all_there_is_to_know() {
        let wording = Wording::of(&Body::Alerts { alerts: vec![told("firing", "critical")], more: 0 });
        assert_eq!(wording.subject, "[critical firing] cpu is high on web-1");
        assert_eq!(wording.urgency, Urgency::Critical);
        let text = "[critical firing] cpu is high on web-1\nServer: web-1\nMetric: cpu/usage (core=0)\nValue: 95.5\n\
                    Condition: > 90 for 5m\nRule: cpu\nAt: 2026-11-20T10:00:00Z\nNotes: see \"the\" runbook";
        assert_eq!(wording.text, text);
    }

    #[test]
    fn of_many_alerts_the_first_are_told_and_the_others_counted() {
        let mut alerts = vec![told("resolved", "warning"); 25];
        alerts[3] = told("firing", "warning");
        let wording = Wording::of(&Body::Alerts { alerts: alerts.clone(), more: 0 });
        assert_eq!(wording.subject, "[25 alerts, 24 resolved] cpu is high on web-1");
        assert!(wording.text.ends_with("\n\nand 5 more") && wording.text.matches("Server:").count() == 20);
        assert_eq!(wording.urgency, Urgency::Warning);
        let wording = Wording::of(&Body::Alerts { alerts, more: 7 });
        assert!(wording.subject.starts_with("[32 alerts] ") && wording.text.ends_with("\n\nand 12 more"));
        let over = Wording::of(&Body::Alerts { alerts: vec![told("resolved", "critical")], more: 0 });
        assert_eq!((over.subject.as_str(), over.urgency), ("[resolved] cpu is high on web-1", Urgency::Calm));
    }

    #[test]
    fn a_subject_is_one_short_line_whatever_a_host_is_called() {
        let body = Body::Worded { subject: format!("a\r\nBcc: x{}", "é".repeat(300)), message: String::new() };
        let subject = Wording::of(&body).subject;
        assert!(subject.starts_with("a  Bcc: x") && subject.ends_with('…') && subject.chars().count() == 200);
    }

    proptest! {
        #[test]
        fn what_is_cut_is_never_longer_than_it_may_be(text in "\\PC{0,60}", max in 1_usize..40) {
            prop_assert!(cut(&text, max).chars().count() <= max);
            let units = cut_units(&text, max);
            prop_assert!(units.encode_utf16().count() <= max);
            prop_assert_eq!(text.encode_utf16().count() <= max, units == text);
        }
    }
}

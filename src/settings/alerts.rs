//! When and how alerts are sent. The names and defaults are those of one of the source systems.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Addresses that e-mails go to.
const RECIPIENTS_MAX: usize = 100;
/// The longest address of any kind.
const ADDRESS_BYTES_MAX: usize = 2048;
const MINUTES_MAX: u32 = 7 * 24 * 60;
const SECONDS_MAX: u32 = 7 * 86_400;
const MULTIPLIER_MAX: u32 = 1_000;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    pub enabled: bool,
    /// The same alert is not sent again for so long.
    pub dedup_minutes: u32,
    /// Below this a disk is low.
    pub low_disk_free_pct_threshold: f64,
    /// So many of its intervals may a server be silent.
    pub heartbeat_grace_multiplier: u32,
    /// And at least so long.
    pub heartbeat_min_grace_seconds: u32,
    pub notify: Notify,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    pub email: Email,
    pub webhook: Webhook,
    pub discord: Discord,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub enabled: bool,
    pub to: Vec<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub enabled: bool,
    pub url: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discord {
    pub enabled: bool,
    pub webhook_url: Option<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            enabled: true,
            dedup_minutes: 15,
            low_disk_free_pct_threshold: 10.0,
            heartbeat_grace_multiplier: 3,
            heartbeat_min_grace_seconds: 120,
            notify: Notify::default(),
        }
    }
}

macro_rules! hides_addresses {
    ($($kind:ident),*) => {$(
        /// Addresses of webhooks are secrets.
        impl std::fmt::Debug for $kind {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(concat!(stringify!($kind), "([redacted])"))
            }
        }
    )*};
}
hides_addresses!(Alerts, Notify, Email, Webhook, Discord);

/// The settings in their own form, when all of them are allowed; else what is wrong.
pub(super) fn checked(whole: Value) -> Result<Value, String> {
    let alerts: Alerts = serde_json::from_value(whole).map_err(|error| error.to_string())?;
    let in_range = |name: &str, value: u32, max: u32| {
        if (1..=max).contains(&value) { Ok(()) } else { Err(format!("{name} is a number from 1 to {max}")) }
    };
    in_range("dedup_minutes", alerts.dedup_minutes, MINUTES_MAX)?;
    in_range("heartbeat_grace_multiplier", alerts.heartbeat_grace_multiplier, MULTIPLIER_MAX)?;
    in_range("heartbeat_min_grace_seconds", alerts.heartbeat_min_grace_seconds, SECONDS_MAX)?;
    if !(0.0..=100.0).contains(&alerts.low_disk_free_pct_threshold) {
        return Err("low_disk_free_pct_threshold is a number from 0 to 100".to_owned());
    }
    let Notify { email, webhook, discord } = &alerts.notify;
    let is_address = |text: &String| text.len() <= ADDRESS_BYTES_MAX && text.contains('@') && !text.contains('\0');
    if email.to.len() > RECIPIENTS_MAX || !email.to.iter().all(is_address) {
        return Err(format!("notify.email.to lists at most {RECIPIENTS_MAX} e-mail addresses"));
    }
    if email.enabled && email.to.is_empty() {
        return Err("notify.email is enabled, but goes to nobody".to_owned());
    }
    check_url("notify.webhook.url", webhook.enabled, webhook.url.as_deref())?;
    check_url("notify.discord.webhook_url", discord.enabled, discord.webhook_url.as_deref())?;
    serde_json::to_value(alerts).map_err(|error| error.to_string())
}

fn check_url(name: &str, is_needed: bool, url: Option<&str>) -> Result<(), String> {
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return if is_needed { Err(format!("{name} is needed where it is enabled")) } else { Ok(()) };
    };
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()));
    if is_url && url.len() <= ADDRESS_BYTES_MAX { Ok(()) } else { Err(format!("{name} is no http or https URL")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Group;
    use super::*;

    #[test]
    fn a_part_is_put_over_the_defaults() {
        let value =
            Group::Alerts.checked(&json!({ "notify": { "email": { "enabled": true, "to": ["a@b"] } } })).unwrap();
        assert_eq!(value["dedup_minutes"], 15);
        assert_eq!(value["low_disk_free_pct_threshold"], 10.0);
        assert_eq!(value["notify"]["email"], json!({ "enabled": true, "to": ["a@b"] }));
        assert_eq!(value["notify"]["webhook"], json!({ "enabled": false, "url": null }));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (given, told) in [
            (json!([]), "alerts is no object"),
            (json!({ "dedup_minutes": 0 }), "dedup_minutes"),
            (json!({ "dedup_minute": 1 }), "unknown field `dedup_minute`"),
            (json!({ "low_disk_free_pct_threshold": 101 }), "low_disk_free_pct_threshold"),
            (json!({ "notify": { "webhook": { "enabled": true } } }), "notify.webhook.url"),
            (json!({ "notify": { "discord": { "webhook_url": "file:///etc/passwd" } } }), "notify.discord.webhook_url"),
            (json!({ "notify": { "email": { "enabled": true } } }), "goes to nobody"),
            (json!({ "enabled": null }), "null"),
        ] {
            let refused = Group::Alerts.checked(&given).unwrap_err().to_string();
            assert!(refused.contains(told), "{given}: {refused}");
        }
    }

    #[test]
    fn addresses_are_never_printed() {
        let webhook = Webhook { enabled: true, url: Some("https://hunter2".to_owned()) };
        let notify = Notify { webhook, ..Notify::default() };
        let alerts = Alerts { notify, ..Alerts::default() };
        assert!(!format!("{alerts:?} {:?} {:?}", alerts.notify, alerts.notify.webhook).contains("hunter2"));
    }
}

//! The fleet of Windows machines: endpoints that have not reported for too long, and disks that are nearly full. What
//! goes on is told again after a while; that it is over is told nobody.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::indented::indented;
use crate::alert::channel::Channel;
use crate::alert::notice::Body;
use crate::model::alert::{Event, Happened, Severity, Source};
use crate::model::{Micros, ServerKey};
use crate::settings::Alerts;
use crate::settings::alerts::Notify;
use crate::wire::json::Kind;
use crate::wire::tree::Value;

/// The name of the pack.
pub const PACK: &str = "fleet";
/// Volumes of one endpoint that are looked at.
const VOLUMES_OF_ENDPOINT_MAX: usize = 64;
/// Volumes that one alert lists.
pub const VOLUMES_MAX: usize = 1_000;
/// The longest name of a machine or volume; a longer one is cut.
const NAME_BYTES_MAX: usize = 255;

/// What is kept of an endpoint's latest snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub hostname: String,
    pub machine_id: String,
    /// By the server's clock, in microseconds.
    pub reported_at: i64,
    pub interval_seconds: i32,
    pub volumes: Vec<Volume>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    pub mount: String,
    pub free_pct: f64,
    pub free_bytes: i64,
    pub total_bytes: i64,
}

/// An endpoint that may report, with what it last did.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub id: i32,
    pub server: (ServerKey, Uuid),
    pub kept: Kept,
}

/// Something to tell, unless it was told lately.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// What it is told once by.
    pub key: String,
    pub event: Event,
    pub body: Body,
}

#[derive(Serialize)]
struct Heartbeat<'a> {
    endpoint_id: i32,
    hostname: &'a str,
    machine_id: &'a str,
    last_seen: String,
    grace_seconds: i64,
}

#[derive(Serialize)]
struct LowDisk {
    threshold_free_pct: f64,
    volumes: Vec<LowVolume>,
}

/// A volume that is nearly full, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LowVolume {
    endpoint_id: i32,
    hostname: String,
    machine_id: String,
    mount: String,
    free_pct: f64,
    free_bytes: i64,
    total_bytes: i64,
}

impl Kept {
    /// What is kept of a snapshot that fits the schema.
    pub fn of(snapshot: Value<'_>, now: Micros) -> Self {
        let host = |name| text(snapshot.get("host").and_then(|host| host.get(name)));
        let volumes = snapshot.get("disk").and_then(|disk| disk.get("volumes"));
        let interval = snapshot.get("interval_seconds").and_then(Value::integer).unwrap_or_default();
        Self {
            hostname: host("hostname"),
            machine_id: host("machine_id"),
            reported_at: now.0,
            interval_seconds: i32::try_from(interval).unwrap_or_default(),
            volumes: volumes
                .into_iter()
                .flat_map(Value::elements)
                .take(VOLUMES_OF_ENDPOINT_MAX)
                .filter_map(Volume::of)
                .collect(),
        }
    }
}

impl Volume {
    fn of(volume: Value<'_>) -> Option<Self> {
        let integer = |name| volume.get(name).and_then(Value::integer).unwrap_or_default();
        Some(Self {
            mount: text(volume.get("mount")),
            free_pct: volume.get("free_pct")?.number()?,
            free_bytes: integer("free_bytes"),
            total_bytes: integer("total_bytes"),
        })
    }
}

impl Endpoint {
    /// That it has not reported for longer than it may be silent.
    pub fn silent(&self, settings: &Alerts, now: Micros) -> Option<Alarm> {
        let Kept { hostname, machine_id, reported_at, interval_seconds, .. } = &self.kept;
        if *interval_seconds <= 0 {
            return None;
        }
        let of_intervals = i64::from(settings.heartbeat_grace_multiplier) * i64::from(*interval_seconds);
        let grace_seconds = of_intervals.max(i64::from(settings.heartbeat_min_grace_seconds));
        if now.0.saturating_sub(*reported_at) <= grace_seconds * Micros::PER_SECOND {
            return None;
        }
        let last_seen = isoformat(Micros(*reported_at));
        let details = Heartbeat { endpoint_id: self.id, hostname, machine_id, last_seen, grace_seconds };
        let subject = format!("Heartbeat missing: {hostname}");
        Some(alarm(format!("heartbeat:{}", self.id), Some(self.server), subject, &details, now))
    }

    /// Its volumes that are nearly full.
    pub fn low_volumes(&self, settings: &Alerts) -> impl Iterator<Item = LowVolume> {
        let is_low = |volume: &&Volume| volume.free_pct < settings.low_disk_free_pct_threshold;
        self.kept.volumes.iter().filter(is_low).map(|volume| {
            let Volume { mount, free_pct, free_bytes, total_bytes } = volume.clone();
            let (hostname, machine_id) = (self.kept.hostname.clone(), self.kept.machine_id.clone());
            LowVolume { endpoint_id: self.id, hostname, machine_id, mount, free_pct, free_bytes, total_bytes }
        })
    }
}

/// That there are volumes which are nearly full: one alarm for all of them.
pub fn low_disk(volumes: Vec<LowVolume>, settings: &Alerts, now: Micros) -> Option<Alarm> {
    let threshold_free_pct = settings.low_disk_free_pct_threshold;
    if volumes.is_empty() {
        return None;
    }
    let key = format!("lowdisk:global:{}", (threshold_free_pct * 10.0) as i64);
    let details = LowDisk { threshold_free_pct, volumes };
    Some(alarm(key, None, "Low disk space detected".to_owned(), &details, now))
}

/// The channels of the settings that are in use.
pub fn channels(notify: &Notify) -> Vec<Channel> {
    let Notify { email, webhook, discord } = notify;
    let is_some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let email = (email.enabled && !email.to.is_empty()).then(|| Channel::Email { to: email.to.clone() });
    let webhook = is_some(&webhook.url).filter(|_| webhook.enabled);
    let webhook = webhook.map(|url| Channel::Webhook { url, secret: None, template: None });
    let discord = is_some(&discord.webhook_url).filter(|_| discord.enabled);
    let discord = discord.map(|webhook_url| Channel::Discord { webhook_url });
    email.into_iter().chain(webhook).chain(discord).collect()
}

fn alarm(
    key: String,
    server: Option<(ServerKey, Uuid)>,
    subject: String,
    details: &impl Serialize,
    now: Micros,
) -> Alarm {
    let event = Event {
        at: now,
        owner: None,
        source: Source::Pack(PACK),
        server,
        series: None,
        happened: Happened::Firing,
        severity: Severity::Critical,
        title: subject.clone(),
        sample_time: None,
        value: None,
        details: serde_json::to_value(details).ok().and_then(object).unwrap_or_default(),
    };
    Alarm { key, event, body: Body::Worded { subject, message: indented(details) } }
}

fn object(value: Json) -> Option<serde_json::Map<String, Json>> {
    if let Json::Object(fields) = value { Some(fields) } else { None }
}

fn text(value: Option<Value<'_>>) -> String {
    let text = value.filter(|value| value.kind() == Kind::String).and_then(Value::text).unwrap_or_default();
    text[..text.floor_char_boundary(NAME_BYTES_MAX)].replace('\0', "\u{fffd}")
}

/// A time as Python's `isoformat` writes it: six digits after the point, or none.
fn isoformat(time: Micros) -> String {
    let whole = Micros(time.0.div_euclid(Micros::PER_SECOND) * Micros::PER_SECOND).to_string();
    let micros = time.0.rem_euclid(Micros::PER_SECOND);
    let seconds = whole.trim_end_matches('Z');
    if micros == 0 { format!("{seconds}+00:00") } else { format!("{seconds}.{micros:06}+00:00") }
}

#[cfg(test)]
mod tests;

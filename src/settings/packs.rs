//! What the alerts of two source systems fire at. The defaults are those systems'.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Beyond any reading of a machine.
const READING_MAX: f64 = 1e15;
const COOLDOWN_SECONDS_MAX: u32 = 7 * 86_400;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Packs {
    pub syncpulse: Syncpulse,
    pub statusmonitor: Statusmonitor,
}

/// Reports of devices: each is judged as a whole. What is above fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syncpulse {
    pub enabled: bool,
    pub cpu_percent: f64,
    pub memory_percent: f64,
    pub swap_percent: f64,
    pub disk_percent: f64,
    pub inode_percent: f64,
    pub zombie_processes: f64,
    /// Where a sensor does not say what is high for it.
    pub temperature_celsius: f64,
    pub time_drift_seconds: f64,
    pub network_errors: f64,
}

/// Rules that people make for their agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Statusmonitor {
    pub enabled: bool,
    /// A rule fires no more often.
    pub cooldown_seconds: u32,
}

impl Default for Syncpulse {
    fn default() -> Self {
        Self {
            enabled: true,
            cpu_percent: 90.0,
            memory_percent: 90.0,
            swap_percent: 50.0,
            disk_percent: 90.0,
            inode_percent: 90.0,
            zombie_processes: 0.0,
            temperature_celsius: 80.0,
            time_drift_seconds: 60.0,
            network_errors: 100.0,
        }
    }
}

impl Default for Statusmonitor {
    fn default() -> Self {
        Self { enabled: true, cooldown_seconds: 300 }
    }
}

/// The settings in their own form, when all of them are allowed; else what is wrong.
pub(super) fn checked(whole: Value) -> Result<Value, String> {
    let packs: Packs = serde_json::from_value(whole).map_err(|error| error.to_string())?;
    let Syncpulse {
        enabled: _,
        cpu_percent,
        memory_percent,
        swap_percent,
        disk_percent,
        inode_percent,
        zombie_processes,
        temperature_celsius,
        time_drift_seconds,
        network_errors,
    } = packs.syncpulse;
    for (name, value) in [
        ("cpu_percent", cpu_percent),
        ("memory_percent", memory_percent),
        ("swap_percent", swap_percent),
        ("disk_percent", disk_percent),
        ("inode_percent", inode_percent),
        ("zombie_processes", zombie_processes),
        ("temperature_celsius", temperature_celsius),
        ("time_drift_seconds", time_drift_seconds),
        ("network_errors", network_errors),
    ] {
        // Nothing may fire for what a report does not say, which counts as zero.
        if !(0.0..=READING_MAX).contains(&value) {
            return Err(format!("syncpulse.{name} is a number from 0 to {READING_MAX:e}"));
        }
    }
    if packs.statusmonitor.cooldown_seconds > COOLDOWN_SECONDS_MAX {
        return Err(format!("statusmonitor.cooldown_seconds is a number from 0 to {COOLDOWN_SECONDS_MAX}"));
    }
    serde_json::to_value(packs).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Group;
    use super::*;

    #[test]
    fn one_threshold_is_put_over_the_defaults() {
        let value = Group::Packs.checked(&json!({ "syncpulse": { "cpu_percent": 95 } })).unwrap();
        let packs: Packs = serde_json::from_value(value).unwrap();
        let syncpulse = Syncpulse { cpu_percent: 95.0, ..Syncpulse::default() };
        assert_eq!(packs, Packs { syncpulse, ..Packs::default() });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (given, told) in [
            (json!({ "syncpulse": { "cpu_percent": -1 } }), "syncpulse.cpu_percent"),
            (json!({ "syncpulse": { "cpu": 1 } }), "unknown field `cpu`"),
            (json!({ "statusmonitor": { "cooldown_seconds": 1_000_000 } }), "statusmonitor.cooldown_seconds"),
            (json!({ "statusmonitor": { "enabled": null } }), "null"),
        ] {
            let refused = Group::Packs.checked(&given).unwrap_err().to_string();
            assert!(refused.contains(told), "{given}: {refused}");
        }
    }
}

//! `SyncPulse`: twelve rules over a whole report. What they find is told by its text: a text that was not there with the
//! report before is new, one that is not there any more has recovered.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::model::alert::Severity;
use crate::settings::packs::Syncpulse;
use crate::wire::json::Kind;
use crate::wire::systems::python;
use crate::wire::tree::Value;

/// The name of the pack.
pub const PACK: &str = "syncpulse";
/// What is told of one report; the rest is not.
pub const FOUND_MAX: usize = 1_000;
/// The longest text; a longer one is cut.
const TEXT_BYTES_MAX: usize = 1_000;
/// What stands for a disk that says nothing of itself.
const UNKNOWN: &str = "unknown";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub text: String,
    pub severity: Severity,
    pub has_recovered: bool,
}

/// What follows a text that has recovered.
const RECOVERED: &str = " - recovered";

/// What a report changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New alerts, then recoveries.
    pub told: Vec<Found>,
    /// What holds now, each once.
    pub active: Vec<String>,
}

/// What holds in a report, in the order of the rules. What it does not say counts as zero, or as nothing.
pub fn found(report: Value<'_>, above: &Syncpulse) -> Vec<Found> {
    let mut found = Finding::default();
    found.usage(report, above);
    found.disks(report, above);
    found.processes(report, above);
    found.surroundings(report, above);
    found.network(report, above);
    found.0
}

/// What is to be told when `active` held with the report before.
pub fn compare(active: &[String], found: Vec<Found>) -> Changes {
    let before: HashSet<&str> = active.iter().map(String::as_str).collect();
    let mut seen = HashSet::new();
    let now: Vec<String> =
        found.iter().filter(|found| seen.insert(found.text.as_str())).map(|found| found.text.clone()).collect();
    let gone = active.iter().filter(|text| !seen.contains(text.as_str()));
    let recovered: Vec<Found> = gone
        .map(|text| Found { text: format!("{text}{RECOVERED}"), severity: Severity::Warning, has_recovered: true })
        .collect();
    let mut told: Vec<Found> = found.into_iter().filter(|found| !before.contains(found.text.as_str())).collect();
    told.extend(recovered);
    Changes { told, active: now }
}

#[derive(Default)]
struct Finding(Vec<Found>);

impl Finding {
    fn usage(&mut self, report: Value<'_>, above: &Syncpulse) {
        let (cpu, memory) = (report.get("cpu"), report.get("memory"));
        if number(cpu, "total_percent") > above.cpu_percent {
            self.add(Severity::Critical, "High CPU usage");
        }
        if number(memory, "percent") > above.memory_percent {
            self.add(Severity::Critical, "High Memory usage");
        }
        if number(memory, "swap_percent") > above.swap_percent {
            self.add(Severity::Warning, "High swap usage");
        }
    }

    fn disks(&mut self, report: Value<'_>, above: &Syncpulse) {
        for disk in report.get("disks").into_iter().flat_map(Value::elements) {
            let name = word(disk.get("mountpoint")).or_else(|| word(disk.get("device")));
            let name = name.unwrap_or(Cow::Borrowed(UNKNOWN));
            if number(Some(disk), "percent") > above.disk_percent {
                self.add(Severity::Critical, &format!("Low Disk Space on {name}"));
            }
            if number(Some(disk), "inode_percent") > above.inode_percent {
                self.add(Severity::Warning, &format!("High inode usage on {name}"));
            }
        }
    }

    fn processes(&mut self, report: Value<'_>, above: &Syncpulse) {
        if report.get("custom_alert").is_some_and(is_true) {
            self.add(Severity::Critical, "Custom Alert triggered");
        }
        if let Some(zombies) = report.get("zombie_processes")
            && zombies.number().is_some_and(|number| number > above.zombie_processes)
        {
            self.add(Severity::Warning, &format!("Zombie processes detected: {}", python::number(zombies)));
        }
        for (name, running) in report.get("critical_processes").into_iter().flat_map(Value::members) {
            if !is_true(running) {
                self.add(Severity::Critical, &format!("Critical process {name} is not running"));
            }
        }
    }

    fn surroundings(&mut self, report: Value<'_>, above: &Syncpulse) {
        for (group, sensors) in report.get("sensors_temperature").into_iter().flat_map(Value::members) {
            for sensor in sensors.elements() {
                let Some(current) = sensor.get("current") else { continue };
                let high = Some(number(Some(sensor), "high")).filter(|high| *high != 0.0);
                if current.number().is_some_and(|degrees| degrees > high.unwrap_or(above.temperature_celsius)) {
                    let degrees = python::number(current);
                    self.add(Severity::Critical, &format!("Overheat detected on {group} ({degrees}°C)"));
                }
            }
        }
        let drift = number(report.get("time_drift"), "drift_seconds");
        if drift.abs() > above.time_drift_seconds {
            self.add(Severity::Warning, &format!("High time drift: {:.0}s", drift.round_ties_even()));
        }
    }

    fn network(&mut self, report: Value<'_>, above: &Syncpulse) {
        let interfaces = || report.get("network").into_iter().flat_map(Value::elements);
        let bytes = |interface| number(Some(interface), "bytes_recv") + number(Some(interface), "bytes_sent");
        if interfaces().next().is_some() && interfaces().all(|interface| bytes(interface) == 0.0) {
            self.add(Severity::Warning, "All network interfaces inactive");
        }
        let has_errors = |interface| {
            ["errin", "errout"].into_iter().any(|name| number(Some(interface), name) > above.network_errors)
        };
        if interfaces().any(has_errors) {
            self.add(Severity::Warning, "Network interface errors detected");
        }
    }

    fn add(&mut self, severity: Severity, text: &str) {
        if self.0.len() < FOUND_MAX {
            let text = text[..text.floor_char_boundary(TEXT_BYTES_MAX)].replace('\0', "\u{fffd}");
            self.0.push(Found { text, severity, has_recovered: false });
        }
    }
}

/// The number that is this member; zero where there is none.
fn number(of: Option<Value<'_>>, name: &str) -> f64 {
    of.and_then(|of| of.get(name)).and_then(Value::number).unwrap_or(0.0)
}

/// A text, or a number as Python writes it.
fn word(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    let value = value?;
    value.text().or_else(|| (value.kind() == Kind::Number).then(|| Cow::Owned(python::number(value))))
}

/// What Python takes for true.
fn is_true(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::Boolean => value.boolean() == Some(true),
        Kind::Number => value.number() != Some(0.0),
        Kind::String => value.raw() != b"\"\"",
        Kind::Array => value.elements().next().is_some(),
        Kind::Object => value.members().next().is_some(),
    }
}

#[cfg(test)]
mod tests;

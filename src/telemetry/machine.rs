//! The machine this server runs on, as it is shown to people. Read once; what the system does not tell stays empty.

use std::fs;

const KIB_PER_GIB: f64 = 1024.0 * 1024.0;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub hostname: String,
    pub os_name: String,
    pub os_version: String,
    pub cpu: String,
    /// In words, such as `15.6 GB`.
    pub ram: String,
}

impl Machine {
    pub fn detect() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let line = |path: &str| text(path).trim().to_owned();
        let cpu = after(&text("/proc/cpuinfo"), "model name").unwrap_or_default();
        let ram = after(&text("/proc/meminfo"), "MemTotal").and_then(|total| gibibytes(&total)).unwrap_or_default();
        Self {
            hostname: line("/proc/sys/kernel/hostname"),
            os_name: line("/proc/sys/kernel/ostype"),
            os_version: line("/proc/sys/kernel/osrelease"),
            cpu,
            ram,
        }
    }
}

/// What stands behind `name :` in the first such line.
fn after(text: &str, name: &str) -> Option<String> {
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

fn gibibytes(total: &str) -> Option<String> {
    let kibibytes: f64 = total.strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{:.1} GB", kibibytes / KIB_PER_GIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_stands_behind_its_name() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(after(cpuinfo, "model name").as_deref(), Some("Some CPU @ 2.00GHz"));
        assert_eq!(after(cpuinfo, "model"), None);
        assert_eq!(gibibytes("16384000 kB").as_deref(), Some("15.6 GB"));
        assert_eq!(gibibytes("much"), None);
    }
}

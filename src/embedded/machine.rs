//! What the machine, or the container it looks like, has to give. Reads files, knows no PostgreSQL.

use std::fs;
use std::thread::available_parallelism;

/// Assumed when the system does not say how much memory there is (it has no `/proc`).
const MEMORY_BYTES_ASSUMED: u64 = 4 << 30;

#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    pub(super) memory_bytes: u64,
    pub(super) cores: usize,
}

impl Machine {
    pub(super) fn detect() -> Self {
        let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_bytes(&text));
        // A container's limit: version 2 of the control groups, then version 1. "max" is no number, so no limit.
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let limit = limits.iter().find_map(|path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
        let memory_bytes = memory.unwrap_or(MEMORY_BYTES_ASSUMED).min(limit.unwrap_or(u64::MAX));
        Self { memory_bytes, cores: available_parallelism().map_or(1, usize::from) }
    }
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_meminfo() {
        assert_eq!(total_bytes("MemFree: 1 kB\nMemTotal:       2048 kB\n"), Some(2 << 20));
        assert_eq!(total_bytes("MemTotal: many kB"), None);
        assert_eq!(total_bytes(""), None);
    }

    #[test]
    fn this_machine_has_memory_and_a_core() {
        let machine = Machine::detect();
        assert!(machine.memory_bytes > 0 && machine.cores > 0);
    }
}

//! What PostgreSQL is told when it starts, worked out from what the machine has. Pure.
//!
//! Settings are given on the command line at every start, so that a cluster moved to a larger machine or made by an
//! older Millrace needs no edit, and what a hand wrote into `postgresql.conf` stays for everything not listed here.

use std::path::Path;

use super::machine::Machine;

const MIB: u64 = 1 << 20;

/// Room for the pool, the lanes and the jobs of several nodes, and for a test binary with many tests at once.
const CONNECTIONS_MAX: u32 = 200;

pub(super) fn settings(machine: Machine, durable: bool, sockets: &Path) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("listen_addresses", String::new()),
        ("unix_socket_directories", quoted(&sockets.to_string_lossy())),
        ("unix_socket_permissions", "0700".into()),
        ("max_connections", CONNECTIONS_MAX.to_string()),
        ("autovacuum", "on".into()),
        ("jit", "off".into()),
        ("random_page_cost", "1.1".into()),
        ("timezone", "UTC".into()),
        ("log_timezone", "UTC".into()),
        // The log goes down a pipe to the owner, which adds its own time. Statements may hold what is no one's business.
        ("logging_collector", "off".into()),
        ("log_destination", "stderr".into()),
        ("log_line_prefix", String::new()),
        ("log_min_error_statement", "panic".into()),
        ("lc_messages", "C".into()),
        // What is written in bulk is packed already, and full pages are rare between far checkpoints: compressing them
        // would cost the cores that decode.
        ("wal_compression", "off".into()),
        ("wal_buffers", "16MB".into()),
        ("max_worker_processes", (machine.cores + 8).to_string()),
        ("max_parallel_workers", machine.cores.to_string()),
        ("max_parallel_workers_per_gather", (machine.cores / 2).min(4).to_string()),
    ];
    settings.extend(if durable { durable_settings(machine.memory_bytes) } else { throw_away_settings() });
    settings
}

/// Half a gigabyte of recycled log segments saves zeroing new ones; four gigabytes and a quarter of an hour between
/// checkpoints keep full-page images rare.
fn durable_settings(memory_bytes: u64) -> Vec<(&'static str, String)> {
    let memory_mib = memory_bytes / MIB;
    vec![
        ("fsync", "on".into()),
        ("full_page_writes", "on".into()),
        ("synchronous_commit", "on".into()),
        ("shared_buffers", mebibytes((memory_mib / 8).clamp(64, 4096))),
        ("effective_cache_size", mebibytes((memory_mib / 2).max(128))),
        ("maintenance_work_mem", mebibytes((memory_mib / 32).clamp(64, 512))),
        ("work_mem", mebibytes((memory_mib / 512).clamp(4, 32))),
        ("min_wal_size", "512MB".into()),
        ("max_wal_size", "4GB".into()),
        ("checkpoint_timeout", "15min".into()),
        ("checkpoint_completion_target", "0.9".into()),
    ]
}

/// Small, because it may live in memory, and lazy, because nothing in it is needed after a crash of the machine.
fn throw_away_settings() -> Vec<(&'static str, String)> {
    vec![
        ("fsync", "off".into()),
        ("full_page_writes", "off".into()),
        ("synchronous_commit", "off".into()),
        ("shared_buffers", "64MB".into()),
        ("min_wal_size", "32MB".into()),
        ("max_wal_size", "256MB".into()),
        ("checkpoint_timeout", "1h".into()),
    ]
}

fn mebibytes(count: u64) -> String {
    format!("{count}MB")
}

/// `unix_socket_directories` is a list: a path with a comma or a space is one item only within quotes.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(memory_bytes: u64, durable: bool, name: &str) -> String {
        let all = settings(Machine { memory_bytes, cores: 2 }, durable, Path::new("/a b"));
        let values: Vec<_> = all.into_iter().filter(|(known, _)| *known == name).collect();
        assert_eq!(values.len(), 1, "{name} is set once");
        values.into_iter().next().unwrap().1
    }

    #[test]
    fn a_durable_cluster_acknowledges_after_the_disk_does() {
        for name in ["fsync", "full_page_writes", "synchronous_commit"] {
            assert_eq!(value(8 << 30, true, name), "on");
            assert_eq!(value(8 << 30, false, name), "off");
        }
    }

    #[test]
    fn buffers_follow_the_memory_within_bounds() {
        assert_eq!(value(0, true, "shared_buffers"), "64MB");
        assert_eq!(value(8 << 30, true, "shared_buffers"), "1024MB");
        assert_eq!(value(u64::MAX, true, "shared_buffers"), "4096MB");
    }

    #[test]
    fn no_network_address_is_listened_on() {
        assert_eq!(value(8 << 30, true, "listen_addresses"), "");
        assert_eq!(value(8 << 30, true, "unix_socket_directories"), "\"/a b\"");
    }
}

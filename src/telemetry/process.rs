//! The process as the kernel sees it, read at each scrape. Under the names every dashboard for Prometheus knows.
//!
//! Where there is no `/proc` the metrics are left out: no number is better than a wrong one.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Linux reports times to user space in these, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process;

#[derive(Debug, PartialEq)]
struct Reading {
    resident_memory_bytes: u64,
    cpu_seconds: f64,
    start_time_seconds: f64,
    open_fds: u64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(reading) = read() else { return Ok(()) };
        let mut gauge = |name, help, value: f64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("process_resident_memory_bytes", "Resident memory.", reading.resident_memory_bytes as f64)?;
        gauge("process_start_time_seconds", "When the process started, since 1970.", reading.start_time_seconds)?;
        gauge("process_open_fds", "Open file descriptors.", reading.open_fds as f64)?;
        let cpu = ConstCounter::new(reading.cpu_seconds);
        let help = "Processor time in user and kernel mode.";
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?)
    }
}

fn read() -> Option<Reading> {
    let open_fds = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    let text = |path| fs::read_to_string(path).ok();
    parse(&text("/proc/self/stat")?, &text("/proc/self/status")?, &text("/proc/stat")?, open_fds)
}

fn parse(stat: &str, status: &str, machine: &str, open_fds: u64) -> Option<Reading> {
    // The second field is the name in brackets, which may itself hold spaces and brackets; state is the third field.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let seconds = |number: usize| Some(fields.get(number - 3)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    let resident_kib = value(status, "VmRSS:")?.trim_end_matches("kB").trim_end().parse::<u64>().ok()?;
    let machine_start: f64 = value(machine, "btime ")?.parse().ok()?;
    Some(Reading {
        resident_memory_bytes: resident_kib * 1024,
        cpu_seconds: seconds(14)? + seconds(15)?,
        start_time_seconds: machine_start + seconds(22)?,
        open_fds,
    })
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_found_whatever_the_process_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 12345 1000 200";
        let reading = parse(stat, "Name:\ta\nVmRSS:\t   2048 kB\n", "cpu 1 2\nbtime 1700000000\n", 9).unwrap();
        let expected = Reading {
            resident_memory_bytes: 2 << 20,
            cpu_seconds: 3.0,
            start_time_seconds: 1_700_000_123.45,
            open_fds: 9,
        };
        assert_eq!(reading, expected);
    }

    #[test]
    fn a_text_that_is_not_understood_gives_no_number() {
        assert_eq!(parse("", "", "", 0), None);
        assert_eq!(parse("7 (a) S", "VmRSS: x kB\n", "btime 1\n", 0), None);
    }
}

//! A `RichardOps` report as a block for the console, and as an entry of a log. What agents sent is shown without control
//! characters, which could do things to a terminal.

use crate::model::Micros;
use crate::wire::tree::Value;

const WIDTH: usize = 80;

/// The block, ending with a line end.
pub fn block(report: Value<'_>, now: Micros) -> String {
    let rule = "=".repeat(WIDTH);
    let mut lines = vec![rule.clone(), format!("📊 MONITORING DATA RECEIVED - {now}"), rule.clone()];
    for (title, name) in [
        ("🖥️  Host", "host"),
        ("🆔 Server ID", "server_id"),
        ("🌍 Environment", "env"),
        ("👥 Owner Team", "owner_team"),
        ("⏰ Timestamp", "timestamp"),
        ("📈 Score", "score"),
    ] {
        let value = report.get(name).filter(|value| !value.is_null());
        lines.extend(value.map(|value| format!("{title}: {}", plain(value))));
    }
    lines.extend([String::new(), "📊 SYSTEM METRICS:".to_owned()]);
    let metric = |name: &str| report.get("metrics").and_then(|metrics| metrics.get(name));
    let shown = |name: &str| metric(name).map(plain).unwrap_or_default();
    let rate = |name: &str| metric(name).and_then(Value::integer).map(grouped).unwrap_or_default();
    lines.extend([
        format!("  CPU Usage: {}%", shown("cpu_usage")),
        format!("  Memory Usage: {}%", shown("memory_usage")),
        format!("  Disk Usage: {}%", shown("disk_usage")),
        format!("  Network RX: {} bytes/sec", rate("network_rx_bytes_per_sec")),
        format!("  Network TX: {} bytes/sec", rate("network_tx_bytes_per_sec")),
        format!("  TCP Connections: {}", shown("tcp_connections")),
    ]);
    let alerts: Vec<String> = report.get("local_alerts").into_iter().flat_map(Value::elements).map(plain).collect();
    if !alerts.is_empty() {
        lines.extend([String::new(), format!("🚨 LOCAL ALERTS ({}):", alerts.len())]);
        lines.extend(alerts.iter().map(|alert| format!("  ⚠️  {alert}")));
    }
    lines.extend([rule, String::new()]);
    lines.join("\n")
}

/// The entry, as JSON.
pub fn entry(report: Value<'_>, now: Micros) -> String {
    let payload = String::from_utf8_lossy(report.raw());
    format!(r#"{{"timestamp":"{now}","event_type":"monitoring_data_received","payload":{payload}}}"#)
}

fn plain(value: Value<'_>) -> String {
    let text = value.text().unwrap_or_else(|| String::from_utf8_lossy(value.raw()));
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// With a comma after each three digits.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tree::{Leniency, Tree};

    const REPORT: &str = r#"{"host":"server1","server_id":"srv-001","env":"production","owner_team":"devops",
        "timestamp":"2024-01-20T12:34:56Z","metrics":{"cpu_usage":42.5,"memory_usage":70.1,"disk_usage":55.3,
        "network_rx_bytes_per_sec":12345,"network_tx_bytes_per_sec":6789,"tcp_connections":12},
        "local_alerts":["CPU_SPIKE"],"score":0.7}"#;
    const NOW: Micros = Micros(1_705_754_096_789_000);

    #[test]
    fn the_block_is_what_the_system_showed() {
        let tree = Tree::read(REPORT.as_bytes(), Leniency::Strict).unwrap();
        let expected = "\
================================================================================
📊 MONITORING DATA RECEIVED - 2024-01-20T12:34:56.789Z
================================================================================
🖥️  Host: server1
🆔 Server ID: srv-001
🌍 Environment: production
👥 Owner Team: devops
⏰ Timestamp: 2024-01-20T12:34:56Z
📈 Score: 0.7

📊 SYSTEM METRICS:
  CPU Usage: 42.5%
  Memory Usage: 70.1%
  Disk Usage: 55.3%
  Network RX: 12,345 bytes/sec
  Network TX: 6,789 bytes/sec
  TCP Connections: 12

🚨 LOCAL ALERTS (1):
  ⚠️  CPU_SPIKE
================================================================================
";
        assert_eq!(block(tree.root(), NOW), expected);
        let entry: serde_json::Value = serde_json::from_str(&entry(tree.root(), NOW)).unwrap();
        assert_eq!(entry["event_type"], "monitoring_data_received");
        assert_eq!(entry["payload"], serde_json::from_str::<serde_json::Value>(REPORT).unwrap());
    }

    #[test]
    fn a_report_cannot_do_things_to_a_terminal() {
        let tree = Tree::read(br#"{"host":"a\u001b[2Jb\nc"}"#, Leniency::Strict).unwrap();
        let block = block(tree.root(), NOW);
        assert!(block.contains("Host: a\u{fffd}[2Jb\u{fffd}c\n"), "{block}");
        assert!(!block.contains('\u{1b}'));
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1,000", "-1,234,567"]);
    }
}

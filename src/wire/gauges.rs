//! What the values of agents are called that send the same few metrics each time: the one place that says so, for those
//! who store them and those who ask for them.

/// A value under the names it may be stored by; the first one that there is counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub metric_type: &'static str,
    pub metric_names: &'static [&'static str],
}

pub const CPU: Gauge = Gauge { metric_type: "cpu", metric_names: &["usage_percent"] };
pub const MEMORY: Gauge = Gauge { metric_type: "memory", metric_names: &["used_percent", "usage_percent", "percent"] };
/// One series a mount point.
pub const DISK: Gauge = Gauge { metric_type: "disk", metric_names: &["usage_percent", "used_percent", "percent"] };
/// Counters; one series an interface, or one for all.
pub const BYTES_SENT: Gauge = Gauge { metric_type: "network", metric_names: &["bytes_sent"] };
pub const BYTES_RECEIVED: Gauge = Gauge { metric_type: "network", metric_names: &["bytes_recv"] };

/// The label that tells disks apart.
pub const MOUNTPOINT: &str = "mountpoint";

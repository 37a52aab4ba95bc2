//! What is sent: a fleet of hosts with ten CPU metrics each, every value known from the seed alone.
//!
//! The shape is TSBS's `cpu-only` with two decimals. A sample is named by (host, metric, step); nothing random is
//! kept, so any sample ever sent can be computed again when it is looked up. Knows no socket.

pub(crate) mod body;
pub(crate) mod stream;
pub(crate) mod walk;

use uuid::Uuid;

use walk::Walk;

pub(crate) const METRIC_TYPE: &str = "cpu";
pub(crate) const METRICS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];
/// Most hosts of one fleet; the host name has six digits.
pub(crate) const HOSTS_MAX: u32 = 1_000_000;

// Names of one width, so that a body can be patched in place.
const REGIONS: [&[u8; 9]; 5] = [b"us-east-1", b"us-west-2", b"eu-west-1", b"sa-east-1", b"eu-west-2"];
const ZONES: [u8; 3] = [b'a', b'b', b'c'];

/// How a host is spelt in every dialect.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) id: Uuid,
    pub(crate) id_text: [u8; 36],
    pub(crate) name: [u8; 11],
    pub(crate) region: [u8; 9],
    pub(crate) datacenter: [u8; 10],
}

/// All hosts and the time grid their samples lie on.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) seed: u64,
    pub(crate) hosts: Vec<Host>,
    /// The time of step 0.
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    /// Steps from here on would lie in the future and are not sent.
    pub(crate) steps_max: u32,
}

impl Fleet {
    /// `hosts` hosts with ids of their own; a server that names them itself is heeded with [`Fleet::adopt`].
    pub(crate) fn new(seed: u64, hosts: u32, time: TimeGrid) -> Self {
        let hosts = (0..hosts.min(HOSTS_MAX)).map(|index| Host::new(seed, index)).collect();
        let step_ms = time.step_ms.max(1);
        let steps = time.span_ms / step_ms;
        Self {
            seed,
            hosts,
            // On whole steps, as agents that read a clock do.
            start_ms: (time.end_ms.div_euclid(step_ms) - steps) * step_ms,
            step_ms,
            steps_max: u32::try_from(steps).unwrap_or(u32::MAX),
        }
    }

    /// Takes over the id the server gave to a host.
    pub(crate) fn adopt(&mut self, host: usize, id: Uuid) {
        let host = &mut self.hosts[host];
        host.id = id;
        id.hyphenated().encode_lower(&mut host.id_text);
    }

    pub(crate) fn time_ms(&self, step: u32) -> i64 {
        self.start_ms + i64::from(step) * self.step_ms
    }

    /// The step at a time of the grid.
    pub(crate) fn step_at_us(&self, time_us: i64) -> Option<u32> {
        let since_start_us = time_us - self.start_ms * 1000;
        let step_us = self.step_ms * 1000;
        (since_start_us % step_us == 0).then_some(since_start_us / step_us)?.try_into().ok()
    }

    pub(crate) fn walk(&self, host: usize, metric: usize) -> Walk {
        Walk::new(self.seed, (host * METRICS.len() + metric) as u64)
    }
}

/// Where on the time axis a fleet sends: up to `span_ms` of samples, ending at `end_ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeGrid {
    pub(crate) end_ms: i64,
    pub(crate) span_ms: i64,
    pub(crate) step_ms: i64,
}

impl Host {
    fn new(seed: u64, index: u32) -> Self {
        let id = Uuid::from_u64_pair(seed, u64::from(index));
        let mut id_text = [0; 36];
        id.hyphenated().encode_lower(&mut id_text);
        let mut name = *b"host_000000";
        crate::clock::write_digits(&mut name[5..], i64::from(index));
        let region = *REGIONS[index as usize % REGIONS.len()];
        let mut datacenter = [0; 10];
        datacenter[..9].copy_from_slice(&region);
        datacenter[9] = ZONES[index as usize / REGIONS.len() % ZONES.len()];
        Self { id, id_text, name, region, datacenter }
    }

    pub(crate) fn name_text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_grid_names_its_step_and_another_does_not() {
        let fleet = Fleet::new(1, 3, TimeGrid { end_ms: 1_004_321, span_ms: 100_000, step_ms: 10_000 });
        assert_eq!((fleet.start_ms, fleet.steps_max), (900_000, 10));
        assert_eq!(fleet.step_at_us(fleet.time_ms(7) * 1000), Some(7));
        assert_eq!(fleet.step_at_us(fleet.time_ms(7) * 1000 + 1), None);
        assert_eq!(fleet.step_at_us(0), None);
    }

    #[test]
    fn hosts_differ_in_name_and_id() {
        let fleet = Fleet::new(1, 1000, TimeGrid { end_ms: 0, span_ms: 10, step_ms: 1 });
        let ids: std::collections::HashSet<_> = fleet.hosts.iter().map(|host| host.id).collect();
        let names: std::collections::HashSet<_> = fleet.hosts.iter().map(|host| host.name).collect();
        assert_eq!((ids.len(), names.len()), (1000, 1000));
        assert_eq!(fleet.hosts[42].name_text(), "host_000042");
    }
}

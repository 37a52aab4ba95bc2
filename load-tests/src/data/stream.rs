//! The endless supply of one connection: its own hosts in turn, block after block, each sample exactly once.
//!
//! Connections share no host, so every series is sent in time order and connections share no state.

use std::ops::Range;
use std::sync::Arc;

use super::body::Body;
use super::walk::Walk;
use super::{Fleet, METRICS};

/// What one request carries: these hosts at these steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Indices into [`Fleet::hosts`].
    pub(crate) hosts: Vec<usize>,
    pub(crate) steps: Range<u32>,
}

/// How many hosts and steps make a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) hosts: usize,
    pub(crate) steps: u32,
}

/// Fills one body after the other.
#[derive(Debug)]
pub(crate) struct Stream {
    fleet: Arc<Fleet>,
    shape: Shape,
    hosts: Vec<HostWalks>,
    next_host: usize,
    next_step: u32,
}

#[derive(Debug)]
struct HostWalks {
    host: usize,
    walks: [Walk; METRICS.len()],
}

impl Shape {
    pub(crate) fn rows(self) -> usize {
        self.hosts * self.steps as usize
    }

    pub(crate) fn samples(self) -> u64 {
        (self.rows() * METRICS.len()) as u64
    }

    /// The least number of hosts that is at least `hosts` and that `workers` can share evenly.
    pub(crate) fn hosts_rounded(self, hosts: u32, workers: usize) -> u32 {
        let together = u32::try_from(self.hosts * workers.max(1)).unwrap_or(u32::MAX).max(1);
        hosts.div_ceil(together).saturating_mul(together)
    }
}

impl Stream {
    /// The supply of worker `worker` of `workers`.
    pub(crate) fn new(fleet: &Arc<Fleet>, shape: Shape, worker: usize, workers: usize) -> Self {
        let hosts = (worker..fleet.hosts.len()).step_by(workers.max(1));
        let hosts = hosts
            .map(|host| HostWalks { host, walks: std::array::from_fn(|metric| fleet.walk(host, metric)) })
            .collect();
        Self { fleet: Arc::clone(fleet), shape, hosts, next_host: 0, next_step: 0 }
    }

    /// Every host of this supply with the step up to which it was filled.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (usize, u32)> {
        let steps = |place| self.next_step + if place < self.next_host { self.shape.steps } else { 0 };
        self.hosts.iter().enumerate().map(move |(place, walks)| (walks.host, steps(place)))
    }

    /// Fills `body` with the next block; `None` when the time span is used up. A last group of hosts too small for
    /// the shape is left out.
    pub(crate) fn fill(&mut self, body: &mut Body) -> Option<Block> {
        if self.next_host + self.shape.hosts > self.hosts.len() {
            self.next_host = 0;
            self.next_step += self.shape.steps;
        }
        let steps = self.next_step..self.next_step.checked_add(self.shape.steps)?;
        if steps.end > self.fleet.steps_max || self.shape.hosts > self.hosts.len() {
            return None;
        }
        let mut row = 0;
        let group = &mut self.hosts[self.next_host..self.next_host + self.shape.hosts];
        for walks in group.iter_mut() {
            let host = &self.fleet.hosts[walks.host];
            body.set_host(host);
            for step in steps.clone() {
                let cents = walks.walks.each_mut().map(Walk::next_cents);
                body.set_row(row, host, self.fleet.time_ms(step), &cents);
                row += 1;
            }
        }
        let hosts = group.iter().map(|walks| walks.host).collect();
        self.next_host += self.shape.hosts;
        Some(Block { hosts, steps })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::TimeGrid;
    use crate::data::body::Dialect;

    fn fleet(hosts: u32) -> Arc<Fleet> {
        Arc::new(Fleet::new(3, hosts, TimeGrid { end_ms: 1_763_600_000_000, span_ms: 600_000, step_ms: 10_000 }))
    }

    #[test]
    fn every_sample_of_the_span_is_sent_exactly_once() {
        let fleet = fleet(12);
        let shape = Shape { hosts: 2, steps: 5 };
        let mut seen = HashSet::new();
        for worker in 0..3 {
            let mut stream = Stream::new(&fleet, shape, worker, 3);
            let mut body = Body::new(Dialect::Influx, shape.rows());
            while let Some(block) = stream.fill(&mut body) {
                for host in &block.hosts {
                    block.steps.clone().for_each(|step| assert!(seen.insert((*host, step)), "twice"));
                }
            }
        }
        assert_eq!(seen.len(), 12 * 60);
    }

    #[test]
    fn what_is_sent_is_what_a_replay_of_the_walk_gives() {
        let fleet = fleet(2);
        let shape = Shape { hosts: 1, steps: 4 };
        let mut stream = Stream::new(&fleet, shape, 0, 1);
        let mut body = Body::new(Dialect::Json, shape.rows());
        let blocks: Vec<Block> = (0..3).filter_map(|_| stream.fill(&mut body)).collect();
        assert_eq!(blocks[2], Block { hosts: vec![0], steps: 4..8 });
        let request: serde_json::Value = serde_json::from_slice(body.bytes()).unwrap();
        let mut walk = fleet.walk(0, 3);
        let expected: Vec<f64> = (0..8).map(|_| crate::data::walk::value(walk.next_cents())).collect();
        assert_eq!(request["metrics"][33]["value"], expected[7]);
        assert_eq!(stream.filled().collect::<Vec<_>>(), [(0, 8), (1, 4)]);
    }

    #[test]
    fn hosts_are_rounded_up_to_what_the_workers_can_share() {
        assert_eq!(Shape { hosts: 100, steps: 1 }.hosts_rounded(1000, 8), 1600);
        assert_eq!(Shape { hosts: 1, steps: 100 }.hosts_rounded(1000, 8), 1000);
    }
}

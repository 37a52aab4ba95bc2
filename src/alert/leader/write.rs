//! What was found, written over the connection that has the lock, and told to those who wait for it.

use std::time::{Duration, Instant};

use super::{Ended, Leader};
use crate::alert::judge::Change;
use crate::alert::stats::Stats;
use crate::alert::tell::Look;
use crate::model::alert::Happened;
use crate::model::{Micros, Reach, ServerKey};
use crate::store::alerts::Finding;

/// Changes written in one transaction.
const CHANGES_MAX: usize = 5_000;
/// While nothing is found, up to when everything was judged is written this often.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);
/// How often a transaction is tried, which fails when something is deleted in the very moment it is written of.
const TRIES_MAX: usize = 3;

impl Leader<'_> {
    /// Writes what was found; and, where it is known, up to when everything was judged.
    pub(super) async fn write(&mut self, found: Vec<Change>, judged_at: Option<Micros>) -> Result<(), Ended> {
        let judged_at = judged_at.unwrap_or(self.judged_at);
        if found.is_empty() {
            if judged_at != self.judged_at && self.written_at.elapsed() >= PROGRESS_INTERVAL {
                self.record(&Finding::default(), judged_at).await?;
            }
            return Ok(());
        }
        let mut left = found.as_slice();
        while !left.is_empty() {
            let (now, rest) = left.split_at(left.len().min(CHANGES_MAX));
            // Of what is not written yet nothing may be said.
            let judged_at = if rest.is_empty() { judged_at } else { self.judged_at };
            let finding = self.finding(now).await?;
            self.record(&finding, judged_at).await?;
            left = rest;
        }
        Ok(())
    }

    async fn finding(&self, changes: &[Change]) -> Result<Finding, Ended> {
        let mut servers: Vec<ServerKey> = changes
            .iter()
            .filter(|change| change.happened.is_some_and(|happened| happened != Happened::Acknowledged))
            .map(|change| change.series.server)
            .collect();
        servers.sort_unstable();
        servers.dedup();
        let hosts = if servers.is_empty() { Default::default() } else { self.seat.hosts(&servers).await? };
        let directory = &self.of.directory;
        let is_within = |server, reach: &Reach| directory.is_within(server, reach);
        let now = self.of.clock.now();
        Ok(Look { audience: &self.audience, hosts: &hosts, is_within: &is_within, now }.finding(changes))
    }

    async fn record(&mut self, finding: &Finding, judged_at: Micros) -> Result<(), Ended> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.seat.record(finding, judged_at, self.of.clock.now()).await {
                Ok(()) => break,
                // What is gone is passed over the next time; a transaction that was given up can be had again.
                Err(error) if tries < TRIES_MAX && !self.seat.is_lost() => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "what was found is written once more");
                }
                Err(error) => return Err(error.into()),
            }
        }
        (self.judged_at, self.written_at) = (judged_at, Instant::now());
        self.has_moved |= !finding.states.is_empty();
        if !finding.events.is_empty() {
            Stats::add(&self.of.alerts.stats.events, finding.events.len() as u64);
            Stats::add(&self.of.alerts.stats.notices, finding.notices.len() as u64);
            self.of.alerts.signals.recorded();
        }
        Ok(())
    }

    /// How much there is, for those who look at the server.
    pub(super) async fn measure(&mut self) -> Result<(), Ended> {
        let sizes = self.on_judge(|judge| judge.sizes()).await?;
        let stats = &self.of.alerts.stats;
        if self.is_matched {
            Stats::set(&stats.rules, sizes.rules as u64);
        }
        if std::mem::take(&mut self.has_moved) {
            Stats::set(&stats.firing, self.seat.firing().await?);
        }
        Stats::set(&stats.instances, sizes.instances as u64);
        Stats::set(&stats.window_bytes, sizes.window_bytes as u64);
        Stats::set(&stats.unjudged, sizes.unjudged);
        Ok(())
    }
}

//! Lines to batches: committed when there are enough of them or when it is time, and once more at the end.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval};

use super::commit::{Committer, Gathered};
use super::door::Piece;
use super::{Config, Dialect, Stages};
use crate::wire::graphite;
use crate::wire::statsd::Aggregate;

/// Samples, and the text that names them, that are committed without waiting for the time.
const BATCH_SAMPLES_MAX: usize = 20_000;
const BATCH_BYTES_MAX: usize = 4 << 20;

pub(super) struct Gatherer {
    committer: Committer,
    gathered: Gathered,
    default_host: String,
    flush_interval: Duration,
    /// What comes to something only when it is time.
    aggregate: Option<Aggregate>,
}

impl Gatherer {
    pub(super) fn new(config: Config, stages: Stages) -> Self {
        let Config { dialect, default_host, flush_interval, .. } = config;
        let aggregate = (dialect == Dialect::Statsd).then(|| Aggregate::new(default_host.clone()));
        let committer = Committer::new(dialect, stages);
        Self { committer, gathered: Gathered::default(), default_host, flush_interval, aggregate }
    }

    /// Runs until nobody can send any more.
    pub(super) async fn run(mut self, mut pieces: Receiver<Piece>) {
        let mut ticks = interval(self.flush_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once.
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                // Before the next piece, of which there may always be one.
                _ = ticks.tick() => self.flush().await,
                piece = pieces.recv() => match piece {
                    Some(piece) => self.take(piece).await,
                    None => return self.flush().await,
                },
            }
        }
    }

    async fn take(&mut self, piece: Piece) {
        let Gathered { text, intake } = &mut self.gathered;
        let before = (intake.items, intake.verdicts.listed().len());
        match &mut self.aggregate {
            Some(aggregate) => aggregate.add(&piece.lines, intake),
            None => graphite::decode(&piece.lines, (&self.default_host, self.committer.now()), text, intake),
        }
        self.committer.keep_refused((Some(piece.from), &piece.lines), before, &intake.verdicts);
        drop(piece);
        let is_enough = intake.items as usize >= BATCH_SAMPLES_MAX || text.len() >= BATCH_BYTES_MAX;
        match self.aggregate {
            // Refusals are told as they come, samples when it is time.
            Some(_) => self.committer.tell_refusals(&mut self.gathered),
            None if is_enough => self.committer.commit(&mut self.gathered).await,
            None => {}
        }
    }

    async fn flush(&mut self) {
        if let Some(aggregate) = &mut self.aggregate {
            let Gathered { text, intake } = &mut self.gathered;
            aggregate.flush(self.committer.now(), text, intake);
        }
        self.committer.commit(&mut self.gathered).await;
    }
}

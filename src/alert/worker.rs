//! One node judges at a time: the one whose connection holds the lock. The others try for it every second, so that one of
//! them goes on when that node or its connection is gone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Alerts;
use super::catch_up::Past;
use super::leader::{Ended, Leader};
use super::stats::Stats;
use crate::clock::Clock;
use crate::model::series::SeriesDirectory;
use crate::store::alerts::Seat;
use crate::store::{Database, StoreError};

/// Between two tries for the place, and between two looks of who has it.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Judges rules while no other node does.
pub struct Worker {
    pub(super) alerts: Alerts,
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) directory: Arc<dyn SeriesDirectory>,
    pub(super) past: Arc<dyn Past>,
}

impl Worker {
    /// Does nothing until it is run.
    pub fn new(
        alerts: &Alerts,
        database: &Database,
        clock: &Arc<dyn Clock>,
        directory: Arc<dyn SeriesDirectory>,
        past: Arc<dyn Past>,
    ) -> Self {
        Self { alerts: alerts.clone(), database: database.clone(), clock: Arc::clone(clock), directory, past }
    }

    /// Runs until `stopping` resolves. What was heard of by then is judged, if this node judges.
    pub async fn run(self, stopping: impl Future<Output = ()> + Send) {
        let mut stopping = std::pin::pin!(stopping);
        let mut waiting = None;
        loop {
            match self.try_for(&mut waiting).await {
                Ok(Some(seat)) => {
                    let ended = self.lead(seat, stopping.as_mut()).await;
                    self.alerts.intake.end();
                    Stats::set(&self.alerts.stats.leading, 0);
                    match ended {
                        Ok(()) => return,
                        Err(error) => {
                            tracing::warn!(error = &error as &dyn std::error::Error, "this node judges no more");
                        }
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no place to judge from"),
            }
            tokio::select! {
                () = stopping.as_mut() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// The place, if it is free. Whoever waits keeps the connection.
    async fn try_for(&self, waiting: &mut Option<Seat>) -> Result<Option<Seat>, StoreError> {
        let seat = match waiting.take() {
            Some(seat) => seat,
            None => Seat::open(&self.database).await?,
        };
        if seat.take().await? {
            return Ok(Some(seat));
        }
        *waiting = Some(seat);
        Ok(None)
    }

    /// Judges until told to stop, or until the place is lost.
    async fn lead(&self, seat: Seat, mut stopping: Pin<&mut (impl Future<Output = ()> + Send)>) -> Result<(), Ended> {
        let mut leader = tokio::select! {
            () = stopping.as_mut() => return Ok(()),
            begun = Leader::take_over(self, seat) => begun?,
        };
        Stats::set(&self.alerts.stats.leading, 1);
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_busy = true;
        loop {
            let is_look = tokio::select! {
                () = stopping.as_mut() => return leader.leave().await,
                _ = looks.tick() => true,
                () = self.alerts.signals.rules() => true,
                () = self.alerts.intake.arrived() => false,
                () = std::future::ready(()), if is_busy => false,
            };
            if is_look {
                leader.look().await?;
            }
            is_busy = leader.turn().await?;
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Worker").field("alerts", &self.alerts).finish_non_exhaustive()
    }
}

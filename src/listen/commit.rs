//! Batches to the journal. Nobody can be told to send again, so what cannot be committed now is tried again for a while.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Dialect, Stages};
use crate::admit::window::{self, Window};
use crate::backoff::Backoff;
use crate::catalog::{LineNaming, Resolved};
use crate::journal::CommitError;
use crate::model::{Intake, Micros, Points, Reach, SeriesId, Verdict, Verdicts, Whom};
use crate::rejects::{Occasion, line_sender};
use crate::store::StoreError;
use crate::telemetry::metrics::DropReason;
use crate::wire::{composed, spans};

/// How long a batch is tried to be committed. Meanwhile its neighbours wait in the queue and before it.
const TRY_MAX: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Points that are committed together; what is flushed at once may be more.
const BATCH_POINTS_MAX: usize = 50_000;
const POINT_BYTES: usize = Points::POINT_BYTES + size_of::<SeriesId>();

/// Points that wait to be committed, over their text.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) text: Vec<u8>,
    pub(super) intake: Intake,
}

pub(super) struct Committer {
    dialect: Dialect,
    stages: Stages,
}

/// Why a batch is not committed yet.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no room for it")]
    NoRoom,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Committer {
    pub(super) fn new(dialect: Dialect, stages: Stages) -> Self {
        Self { dialect, stages }
    }

    pub(super) fn now(&self) -> Micros {
        self.stages.clock.now()
    }

    /// Commits what is gathered and begins anew.
    pub(super) async fn commit(&self, gathered: &mut Gathered) {
        let Gathered { text, intake } = gathered;
        let before = intake.verdicts.listed().len();
        window::refuse_outside(intake, Window::around(self.now(), self.stages.past, self.stages.future));
        self.keep_refused((None, &[]), (0, before), &intake.verdicts);
        while !intake.points.is_empty() {
            let mut part = Intake::default();
            part.points = intake.points.split_off_first(BATCH_POINTS_MAX);
            self.commit_part(text, &mut part).await;
            self.keep_refused((None, &[]), (0, 0), &part.verdicts);
            self.stages.metrics.ingest.refused(&part.verdicts);
        }
        self.tell_refusals(gathered);
        gathered.text.clear();
    }

    /// Counts what was refused, with one of the reasons in the log.
    pub(super) fn tell_refusals(&self, gathered: &mut Gathered) {
        let verdicts = &gathered.intake.verdicts;
        if let Some(first) = verdicts.listed().first() {
            let (dialect, lines) = (self.dialect.name(), verdicts.items());
            tracing::debug!(dialect, lines, first = first.message, "lines refused");
        }
        self.stages.metrics.ingest.refused(verdicts);
        gathered.intake.clear();
    }

    /// Keeps what was refused since there were so many items and refusals: lines of a piece, or, after they were gathered,
    /// what nobody knows the line of any more.
    pub(super) fn keep_refused(
        &self,
        (from, lines): (Option<IpAddr>, &[u8]),
        (items, listed): (u32, usize),
        verdicts: &Verdicts,
    ) {
        let refused = verdicts.listed().get(listed..).unwrap_or_default();
        if refused.is_empty() {
            return;
        }
        let of_piece = |verdict: &Verdict| Verdict { index: verdict.index.saturating_sub(items), ..verdict.clone() };
        let refused: Vec<Verdict> = refused.iter().map(of_piece).collect();
        let sender = Arc::new(line_sender(from));
        let occasion = Occasion { at: self.now(), sender, dialect: self.dialect.name(), body: lines, first_item: 0 };
        self.stages.rejects.keep(&occasion, &refused, spans::filled_lines(lines));
    }

    async fn commit_part(&self, text: &[u8], part: &mut Intake) {
        let (started, mut backoff) = (Instant::now(), Backoff::new(PAUSE_MIN, PAUSE_MAX));
        let points = part.points.len() as u64;
        let mut resolved = None;
        loop {
            let Err(failure) = self.try_commit(text, part, &mut resolved).await else { return };
            let is_final = matches!(failure, Failure::Commit(CommitError::Refused | CommitError::Closing));
            if is_final || started.elapsed() > TRY_MAX {
                tracing::warn!(dialect = self.dialect.name(), samples = points, %failure, "samples dropped");
                return self.stages.metrics.listen.dropped(self.dialect.name(), DropReason::NotCommitted, points);
            }
            sleep(backoff.pause()).await;
        }
    }

    /// What was named once is not named again. A batch that may have been committed is sent again, which changes nothing.
    async fn try_commit(&self, text: &[u8], part: &mut Intake, resolved: &mut Option<Resolved>) -> Result<(), Failure> {
        let Stages { catalog, journal, budget, metrics, .. } = &self.stages;
        if resolved.is_none() {
            // Those of a try that did not come to its end are found again.
            part.verdicts.clear();
            let naming = LineNaming { host: &composed::host, canonical: &composed::identity };
            // Nobody was asked who they are: whoever reaches the socket speaks for the fleet.
            let named = catalog.resolve_lines(text, part, naming, Whom::Hosts(&Reach::everything())).await?;
            metrics.catalog.misses.inc_by(named.misses as u64);
            *resolved = Some(named);
        }
        let Some(Resolved { batch, servers, .. }) = resolved else { return Ok(()) };
        let held = budget.try_take((batch.len() * POINT_BYTES) as u64).ok_or(Failure::NoRoom)?;
        let affinity = servers.first().map_or(0, |server| server.key().0.unsigned_abs());
        journal.commit(batch.clone(), u64::from(affinity), held).await?;
        let now = self.now();
        servers.iter().for_each(|server| server.seen(now));
        metrics.ingest.samples_committed.inc_by(batch.len() as u64);
        Ok(())
    }
}

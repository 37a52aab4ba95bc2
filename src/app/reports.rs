//! Reports of agents that came in on other nodes, for those who listen to them on this one.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http::handlers::report_of_agent;
use crate::live::{Reports, Untold};
use crate::store::agent_reports::{self, PAGE_REPORTS, Wanted};
use crate::store::{Database, StoreError};

/// Between two looks while somebody listens; nobody else costs a look.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks for reports until `stopping` resolves.
pub(super) async fn run((database, reports): (Database, Arc<Reports>), stopping: impl Future<Output = ()>) {
    let mut stopping = std::pin::pin!(stopping);
    let mut pause = INTERVAL;
    loop {
        tokio::select! {
            () = &mut stopping => return,
            () = tokio::time::sleep(pause) => {}
        }
        let Some(untold) = reports.untold() else { continue };
        pause = match look(&database, &reports, &untold).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => INTERVAL,
            // They are found by the next look, unless that comes too late.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "other nodes' reports not read");
                INTERVAL
            }
        };
    }
}

/// Answers whether there may be more right now.
async fn look(database: &Database, reports: &Reports, untold: &Untold) -> Result<bool, StoreError> {
    let now = Instant::now();
    let client = database.client().await?;
    let newest = agent_reports::newest(&client).await?;
    // What was there before somebody listened is not replayed.
    let Some(after) = untold.after else {
        reports.looked(now, newest, &[]);
        return Ok(false);
    };
    let wanted = Wanted { kind: report_of_agent::KIND, after, but: &untold.told, owners: &untold.owners };
    let found = agent_reports::read(&client, wanted).await?;
    drop(client);
    let last = found.last().filter(|_| found.len() as i64 == PAGE_REPORTS).map(|report| report.id);
    let mut passed_over = Vec::new();
    for report in &found {
        match report_of_agent::stored(report) {
            Some(report) => reports.tell(report),
            None => passed_over.push(report.id),
        }
    }
    reports.looked(now, last.unwrap_or(newest), &passed_over);
    Ok(last.is_some())
}

//! Small things done every few seconds: writing down when servers were last heard of.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::http::handlers::Services;
use crate::model::Micros;

const INTERVAL: Duration = Duration::from_secs(5);

/// Runs until `stopping` resolves, and once more then.
pub(super) async fn run(services: Arc<Services>, stopping: impl Future<Output = ()>) {
    let mut stopping = std::pin::pin!(stopping);
    let mut written_up_to = Micros(i64::MIN);
    loop {
        let is_last = tokio::select! {
            () = &mut stopping => true,
            () = tokio::time::sleep(INTERVAL) => false,
        };
        let now = services.clock.now();
        match services.catalog.store_seen(written_up_to).await {
            // A server heard of in this very microsecond is written again next time.
            Ok(()) => written_up_to = Micros(now.0 - 1),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "last-seen times not written"),
        }
        if is_last {
            return;
        }
    }
}

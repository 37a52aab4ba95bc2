//! What goes on after its answer ends soon after who began it is not let in any more.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Gate, Presence, Principal, Refusal};
use crate::http::handlers::Services;
use crate::store::{Database, tokens};

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Revocations {
    database: Database,
    pub(super) gate: Arc<Gate>,
    presence: Arc<Presence>,
}

impl Revocations {
    /// With the gate that everyone passes; `anyone` is who comes without credentials.
    pub(super) fn of(services: &Services, anyone: Principal) -> Self {
        let (database, presence) = (services.database.clone(), Arc::clone(&services.presence));
        let gate = Gate::new(anyone).with_tokens(database.clone(), Arc::clone(&services.clock));
        Self { database, gate: Arc::new(gate), presence }
    }

    /// Looks until `stopping` resolves.
    pub(super) async fn run(self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let mut known = None;
        loop {
            tokio::select! {
                () = &mut stopping => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            if self.presence.is_empty() {
                continue;
            }
            match self.look(known).await {
                Ok(revision) => known = Some(revision),
                // Nobody is dismissed for that; it is tried again.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "revocations not looked at");
                    known = None;
                }
            }
        }
    }

    /// The revision first: what is revoked after it makes another one.
    async fn look(&self, known: Option<i64>) -> Result<i64, Refusal> {
        let revision = tokens::revision(&self.database.client().await?).await?;
        self.presence.look_again(&self.gate, known != Some(revision)).await?;
        Ok(revision)
    }
}

//! Small things done every few seconds: writing down when servers were last heard of and
//! tokens last used, and what was refused; looking how large tables are.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::http::handlers::Services;
use crate::model::Micros;
use crate::store::StoreError;
use crate::store::set_aside;
use crate::store::sizes::{self, TableSize};

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
        match services.catalog.servers().store_seen(written_up_to).await {
            // A server heard of in this very microsecond is written again next time.
            Ok(()) => written_up_to = Micros(now.0 - 1),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "last-seen times not written"),
        }
        if let Err(error) = services.tokens.store_uses(&services.database).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "uses of tokens not written");
        }
        if let Err(error) = services.rejects.write_down(&services.database).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "what was refused not written down");
        }
        if is_last {
            return;
        }
        if let Err(error) = look_at_tables(&services).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "sizes of tables not read");
        }
    }
}

async fn look_at_tables(services: &Services) -> Result<(), StoreError> {
    let client = services.database.client().await?;
    for TableSize { table, bytes, dead_rows } in sizes::tables(&client).await? {
        services.metrics.storage.table_is(table, bytes, dead_rows);
    }
    services.metrics.storage.set_aside_rows.set(set_aside::count(&client).await?.cast_signed());
    Ok(())
}

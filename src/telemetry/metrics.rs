//! The metrics of the server itself: made once, handed down as an `Arc`, updated per request, flush or batch.
//!
//! Names are `millrace_<noun>_<unit>[_total]`. Labels take few values: route patterns, methods, status classes and
//! refusal codes, never anything a client chose.

mod groups;
mod labels;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::process::Process;
pub use groups::{
    AlertMetrics, CatalogMetrics, HttpMetrics, IngestMetrics, JobMetrics, JournalMetrics, ListenMetrics, LiveMetrics,
    PostgresMetrics, QueryMetrics, StorageMetrics,
};
pub use labels::DropReason;

/// What [`Metrics::render`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub struct Metrics {
    pub http: HttpMetrics,
    pub ingest: IngestMetrics,
    pub listen: ListenMetrics,
    pub journal: JournalMetrics,
    pub catalog: CatalogMetrics,
    pub live: LiveMetrics,
    pub alerts: AlertMetrics,
    pub query: QueryMetrics,
    pub jobs: JobMetrics,
    pub postgres: PostgresMetrics,
    pub storage: StorageMetrics,
    registry: Registry,
    readers: Mutex<Vec<Reader>>,
}

type Reader = Arc<dyn Fn(&Metrics) + Send + Sync>;

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let ours = registry.sub_registry_with_prefix("millrace");
        ours.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            http: HttpMetrics::register(ours),
            ingest: IngestMetrics::register(ours),
            listen: ListenMetrics::register(ours),
            journal: JournalMetrics::register(ours),
            catalog: CatalogMetrics::register(ours),
            live: LiveMetrics::register(ours),
            alerts: AlertMetrics::register(ours),
            query: QueryMetrics::register(ours),
            jobs: JobMetrics::register(ours),
            postgres: PostgresMetrics::register(ours),
            storage: StorageMetrics::register(ours),
            registry,
            readers: Mutex::default(),
        }
    }

    /// Has `reader` called before each rendering, for numbers that a stage keeps itself. It must return at once.
    pub fn before_render(&self, reader: impl Fn(&Self) + Send + Sync + 'static) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(reader));
    }

    /// The text that a scrape is answered with, of [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// When a metric cannot be written, which a `String` has no reason for.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for reader in readers {
            reader(self);
        }
        let mut page = String::with_capacity(16 << 10);
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// Sets a counter to a total that is counted elsewhere. The total must never fall.
pub fn mirror(counter: &Counter, total: u64) {
    counter.inner().store(total, std::sync::atomic::Ordering::Relaxed);
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

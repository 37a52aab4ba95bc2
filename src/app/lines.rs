//! The sockets for lines: their addresses, what they need of the services, and their start.

use std::io;
use std::sync::Arc;

use super::plan;
use crate::config::Config;
use crate::http::handlers::Services;
use crate::listen::{Sockets, Stages};
use crate::shutdown::Tasks;

/// Those of each dialect that has an address.
pub(super) async fn bind(config: &Config) -> io::Result<Vec<Sockets>> {
    let mut sockets = Vec::new();
    for planned in plan::listeners(config) {
        sockets.push(Sockets::bind(planned).await?);
    }
    Ok(sockets)
}

/// They are tasks of those that take requests in: when those end, all that was read is in the journal.
pub(super) fn start(sockets: Vec<Sockets>, services: &Services, tasks: &Tasks) {
    let stages = Stages {
        catalog: Arc::clone(&services.catalog),
        journal: Arc::clone(&services.journal),
        budget: services.budget.clone(),
        rates: Arc::clone(&services.rates),
        metrics: Arc::clone(&services.metrics),
        rejects: Arc::clone(&services.rejects),
        clock: Arc::clone(&services.clock),
        past: services.past,
        future: services.future,
    };
    for sockets in sockets {
        match sockets.local_addr() {
            Ok(address) => tracing::info!(%address, dialect = sockets.dialect().name(), "listening for lines"),
            Err(error) => tracing::warn!(%error, "listening for lines on an address that is not known"),
        }
        sockets.start(&stages, tasks);
    }
}

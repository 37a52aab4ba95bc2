//! Who is not to be told just now of what packs find: the silences that hold, as they are stored.

use std::collections::HashSet;

use super::silence::{Silence, Subject, is_silent};
use super::watched;
use crate::model::{Micros, ServerKey};
use crate::store::alerts::{open_silences, reports};
use crate::store::{GenericClient, StoreError};

/// The silences that hold, each with those of the servers in question that it means.
#[derive(Debug)]
pub(super) struct Quiet {
    holding: Vec<(Silence, HashSet<ServerKey>)>,
    now: Micros,
}

impl Quiet {
    /// As far as alerts about these servers go, and those about none.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn of(
        client: &impl GenericClient,
        servers: &[ServerKey],
        now: Micros,
    ) -> Result<Self, StoreError> {
        let mut holding = Vec::new();
        for silence in watched::silences(open_silences(client, now).await?, now) {
            if silence.holds(now) {
                let meant = reports::servers_within(client, servers, &silence.matcher.servers).await?;
                holding.push((silence, meant));
            }
        }
        Ok(Self { holding, now })
    }

    pub(super) fn is_silent(&self, subject: Subject, server: Option<ServerKey>) -> bool {
        self.holding.iter().any(|(silence, meant)| {
            is_silent([silence], subject, self.now, |reach| {
                server.map_or_else(|| reach.is_whole_fleet(), |server| meant.contains(&server))
            })
        })
    }
}

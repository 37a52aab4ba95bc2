//! The cold half of resolving: spellings that were not met before become series, found or made.
//!
//! Works in slices of the misses, so that a huge body of new series costs many statements and not one huge one. What
//! was learnt in one slice is known in the next. A failure in the middle leaves nothing wrong behind: series that were
//! made are found next time.

use std::collections::HashMap;
use std::sync::Arc;

use super::Catalog;
use super::resolve::{Naming, UNRESOLVED, not_registered};
use super::server::ServerEntry;
use super::spellings::RawTexts;
use crate::model::{Code, Identity, Intake, Series, SeriesId, ServerKey};
use crate::store::series::Wanted;
use crate::store::{Client, StoreError, series};

/// Misses looked at together, and so the most series of one statement.
const SLICE: usize = 5_000;

/// How the points of a request are spelt.
#[derive(Clone, Copy)]
pub(super) struct Spelt<'a> {
    pub(super) body: &'a [u8],
    pub(super) entries: &'a [Option<Arc<ServerEntry>>],
    pub(super) canonical: Naming<'a>,
    /// Whether the spellings are to be remembered with their server. They are not where someone else does.
    pub(super) remembered: bool,
}

pub(super) struct Settling<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) spelt: Spelt<'a>,
    pub(super) intake: &'a mut Intake,
    pub(super) ids: &'a mut [SeriesId],
}

/// A series that has to be found or made, and the points of the request that belong to it.
#[derive(Debug)]
struct Unknown {
    server: Arc<ServerEntry>,
    identity: Identity,
    points: Vec<usize>,
}

impl Settling<'_> {
    /// Gives each of the points at `misses` its series id, or its item a reason.
    pub(super) async fn settle(mut self, misses: &[usize]) -> Result<(), StoreError> {
        for slice in misses.chunks(SLICE) {
            let unknown = self.read(slice);
            if !unknown.is_empty() {
                self.find_or_make(unknown).await?;
            }
        }
        Ok(())
    }

    /// Reads the spellings: those of known series get their ids, unreadable ones a reason, the rest is unknown.
    fn read(&mut self, slice: &[usize]) -> Vec<Unknown> {
        let mut unknown: Vec<Unknown> = Vec::new();
        let mut places: HashMap<(u32, Identity), usize> = HashMap::new();
        for &point in slice {
            let (server, raw) = (self.intake.points.servers[point], self.intake.points.identities[point]);
            let Some(entry) = &self.spelt.entries[server as usize] else { continue };
            let identity = match (self.spelt.canonical)(self.spelt.body, raw) {
                Ok(identity) => identity,
                Err((code, reason)) => {
                    self.refuse(point, code, reason);
                    continue;
                }
            };
            let (known, is_full) = {
                let series = entry.known();
                let is_full = series.len() as u64 >= self.catalog.limits.series_per_server_max;
                (series.get(&identity).map(|series| series.id), is_full)
            };
            if let Some(id) = known {
                if self.spelt.remembered {
                    entry.spellings_mut().add(RawTexts::of(raw, self.spelt.body), id);
                }
                self.ids[point] = id;
            } else if is_full {
                // All that it may have are known here, so this is none of them: no need to ask.
                let reason = full_server(entry, self.catalog.limits.series_per_server_max);
                self.refuse(point, Code::TooManySeries, reason);
            } else {
                let place = *places.entry((server, identity)).or_insert_with_key(|(_, identity)| {
                    let (server, identity) = (Arc::clone(entry), identity.clone());
                    unknown.push(Unknown { server, identity, points: Vec::new() });
                    unknown.len() - 1
                });
                unknown[place].points.push(point);
            }
        }
        unknown
    }

    async fn find_or_make(&mut self, unknown: Vec<Unknown>) -> Result<(), StoreError> {
        let client = self.catalog.database.client().await?;
        let wanted: Vec<Wanted> =
            unknown.iter().map(|unknown| (unknown.server.key(), unknown.identity.clone())).collect();
        let found = series::ids(&client, &wanted).await?;
        let mut absent = Vec::new();
        for (unknown, id) in unknown.into_iter().zip(found) {
            match id {
                Some(id) => self.learn(&unknown, id),
                None => absent.push(unknown),
            }
        }
        if !absent.is_empty() {
            self.make(&client, absent).await?;
        }
        Ok(())
    }

    async fn make(&mut self, client: &Client, absent: Vec<Unknown>) -> Result<(), StoreError> {
        let (new, beyond) = self.within_limits(client, absent).await?;
        if !beyond.is_empty() {
            self.find_or_refuse(client, beyond).await?;
        }
        let wanted: Vec<Wanted> = new.iter().map(|unknown| (unknown.server.key(), unknown.identity.clone())).collect();
        let adding = self.catalog.adding();
        let added = match series::add(client, &wanted).await {
            // A server was deleted between two looks at it. The second time it is seen to be gone, and its neighbours
            // are added.
            Err(StoreError::MissingReference) => series::add(client, &wanted).await?,
            added => added?,
        };
        adding.added(added.iter().flatten().count() as u64);
        drop(adding);
        for (unknown, id) in new.into_iter().zip(added) {
            match id {
                Some(id) => self.learn(&unknown, id),
                None => self.refuse_deleted(&unknown),
            }
        }
        Ok(())
    }

    /// Those of `absent` that the limits leave room for, and the others with the reason. Series are new so rarely that
    /// their number is asked for each time, rather than kept and kept right.
    async fn within_limits(
        &self,
        client: &Client,
        absent: Vec<Unknown>,
    ) -> Result<(Vec<Unknown>, Vec<(Unknown, String)>), StoreError> {
        let limits = self.catalog.limits;
        let mut servers: Vec<ServerKey> = absent.iter().map(|unknown| unknown.server.key()).collect();
        servers.sort_unstable();
        servers.dedup();
        let counts = series::counts(client, &servers).await?;
        let mut room: HashMap<ServerKey, u64> = servers
            .into_iter()
            .zip(counts)
            .map(|(server, count)| (server, limits.series_per_server_max.saturating_sub(count)))
            .collect();
        let mut room_overall = self.catalog.room_overall(client, absent.len() as u64).await?;
        let (mut new, mut beyond) = (Vec::with_capacity(absent.len()), Vec::new());
        for unknown in absent {
            let room = room.entry(unknown.server.key()).or_default();
            let reason = if *room == 0 {
                full_server(&unknown.server, limits.series_per_server_max)
            } else if room_overall == 0 {
                format!("the store holds {} series, no more are allowed", limits.series_max)
            } else {
                *room -= 1;
                room_overall -= 1;
                new.push(unknown);
                continue;
            };
            beyond.push((unknown, reason));
        }
        Ok((new, beyond))
    }

    /// Someone else may have made these very series since they were looked for: then it is they who filled the room.
    async fn find_or_refuse(&mut self, client: &Client, beyond: Vec<(Unknown, String)>) -> Result<(), StoreError> {
        let wanted: Vec<Wanted> =
            beyond.iter().map(|(unknown, _)| (unknown.server.key(), unknown.identity.clone())).collect();
        for ((unknown, reason), id) in beyond.into_iter().zip(series::ids(client, &wanted).await?) {
            match id {
                Some(id) => self.learn(&unknown, id),
                None => {
                    for &point in &unknown.points {
                        self.refuse(point, Code::TooManySeries, reason.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// Remembers a series under every spelling the request had for it.
    fn learn(&mut self, unknown: &Unknown, id: SeriesId) {
        let Unknown { server, identity, points } = unknown;
        let identity = identity.clone();
        let series = Arc::new(Series { id, server: server.key(), server_id: server.id(), identity });
        server.known_mut().add(Arc::clone(&series));
        self.catalog.directory.add(series);
        points.iter().for_each(|&point| self.ids[point] = id);
        if !self.spelt.remembered {
            return;
        }
        let mut spellings = server.spellings_mut();
        for &point in points {
            spellings.add(RawTexts::of(self.intake.points.identities[point], self.spelt.body), id);
        }
    }

    /// The server was deleted elsewhere after this process met it.
    fn refuse_deleted(&mut self, unknown: &Unknown) {
        let id = unknown.server.id();
        self.catalog.forget(id);
        for &point in &unknown.points {
            self.refuse(point, Code::UnknownServer, not_registered(id));
        }
    }

    fn refuse(&mut self, point: usize, code: Code, reason: String) {
        debug_assert_eq!(self.ids[point], UNRESOLVED, "what is refused is not stored");
        self.intake.verdicts.refuse(self.intake.points.items[point], code, || reason);
    }
}

fn full_server(server: &ServerEntry, series_max: u64) -> String {
    format!("server {} has {series_max} series, no more are allowed", server.id())
}

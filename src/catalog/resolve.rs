//! A request's points to a batch: every sample gets its series id, or its item a reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::Catalog;
use super::server::ServerEntry;
use super::spellings::RawTexts;
use crate::model::{Batch, Code, Identity, Intake, RawIdentity, Series, SeriesId, ServerKey};
use crate::store::{Client, StoreError, series};

/// How a dialect turns a spelling into what it names, or says why it names nothing.
pub type Canonical = fn(&[u8], RawIdentity) -> Result<Identity, (Code, String)>;

/// How many series are looked up or added in one statement.
const SERIES_CHUNK: usize = 5_000;
/// Stands for a series that is not known yet. PostgreSQL counts series from one.
const UNRESOLVED: SeriesId = SeriesId(0);

/// What a request came to.
#[derive(Debug)]
pub struct Resolved {
    pub batch: Batch,
    /// The servers the batch speaks of, in order of first use.
    pub servers: Vec<Arc<ServerEntry>>,
    /// How many samples were of spellings not met before.
    pub misses: usize,
}

impl Catalog {
    /// Takes the points out of `intake` and adds a verdict for each item that cannot be stored.
    ///
    /// # Errors
    /// When something had to be asked of PostgreSQL and it is not available.
    pub async fn resolve(
        &self,
        body: &[u8],
        intake: &mut Intake,
        canonical: Canonical,
    ) -> Result<Resolved, StoreError> {
        let entries = self.servers.find(intake.servers()).await?;
        let mut ids = vec![UNRESOLVED; intake.points.len()];
        let misses = look_up(body, intake, &entries, &mut ids);
        if !misses.is_empty() {
            self.settle(&Request { body, entries: &entries, canonical }, intake, &misses, &mut ids).await?;
        }
        refuse_unknown_servers(intake, &entries);
        Ok(Resolved {
            batch: take_resolved(intake, ids),
            servers: entries.into_iter().flatten().collect(),
            misses: misses.len(),
        })
    }

    /// Finds or makes the series of spellings that were not met before.
    async fn settle(
        &self,
        request: &Request<'_>,
        intake: &mut Intake,
        misses: &[usize],
        ids: &mut [SeriesId],
    ) -> Result<(), StoreError> {
        let wanted = request.canonicalise(intake, misses, ids);
        for chunk in wanted.chunks(SERIES_CHUNK) {
            self.find_or_add(request, intake, chunk, ids).await?;
        }
        Ok(())
    }

    async fn find_or_add(
        &self,
        request: &Request<'_>,
        intake: &mut Intake,
        wanted: &[WantedSeries],
        ids: &mut [SeriesId],
    ) -> Result<(), StoreError> {
        let client = self.database.client().await?;
        let names: Vec<series::Wanted> =
            wanted.iter().map(|wanted| (request.server(wanted).key(), wanted.identity.clone())).collect();
        let mut found = series::ids(&client, &names).await?;
        let absent: Vec<usize> = (0..found.len()).filter(|place| found[*place].is_none()).collect();
        if !absent.is_empty() {
            self.count_stored(&client, request, wanted, &absent).await?;
            let room = self.make_room(request, intake, wanted, &absent);
            let names: Vec<series::Wanted> = room.iter().map(|place| names[*place].clone()).collect();
            for (place, id) in room.iter().zip(series::add(&client, &names).await?) {
                found[*place] = id;
                if id.is_none() {
                    self.refuse_deleted(request, intake, &wanted[*place]);
                }
            }
        }
        for (wanted, id) in wanted.iter().zip(found) {
            if let Some(id) = id {
                self.learn(request, intake, wanted, id, ids);
            }
        }
        Ok(())
    }

    /// Asks how many series the servers have that are about to get their first new one.
    async fn count_stored(
        &self,
        client: &Client,
        request: &Request<'_>,
        wanted: &[WantedSeries],
        absent: &[usize],
    ) -> Result<(), StoreError> {
        let mut uncounted: Vec<&Arc<ServerEntry>> =
            absent.iter().map(|place| request.server(&wanted[*place])).collect();
        uncounted.retain(|server| server.known().stored_count.is_none());
        uncounted.sort_unstable_by_key(|server| server.key());
        uncounted.dedup_by_key(|server| server.key());
        if uncounted.is_empty() {
            return Ok(());
        }
        let keys: Vec<ServerKey> = uncounted.iter().map(|server| server.key()).collect();
        for (server, count) in uncounted.iter().zip(series::counts(client, &keys).await?) {
            server.known_mut().stored_count.get_or_insert(count);
        }
        Ok(())
    }

    /// Those of `absent` that the limits leave room for; the others are refused.
    fn make_room(
        &self,
        request: &Request<'_>,
        intake: &mut Intake,
        wanted: &[WantedSeries],
        absent: &[usize],
    ) -> Vec<usize> {
        let (limits, mut room) = (self.limits, Vec::with_capacity(absent.len()));
        for &place in absent {
            let server = request.server(&wanted[place]);
            let mut known = server.known_mut();
            let stored = known.stored_count.get_or_insert(0);
            let full = if *stored >= limits.series_per_server_max {
                Some(format!("server {} has {stored} series, no more are allowed", server.id()))
            } else if self.series_count.load(Ordering::Relaxed) >= limits.series_max {
                Some(format!("the store holds {} series, no more are allowed", limits.series_max))
            } else {
                None
            };
            if let Some(reason) = full {
                for point in &wanted[place].points {
                    intake.verdicts.refuse(intake.points.items[*point], Code::TooManySeries, || reason.clone());
                }
            } else {
                *stored += 1;
                self.series_count.fetch_add(1, Ordering::Relaxed);
                self.series_created.fetch_add(1, Ordering::Relaxed);
                room.push(place);
            }
        }
        room
    }

    /// The server was deleted elsewhere after this process met it.
    fn refuse_deleted(&self, request: &Request<'_>, intake: &mut Intake, wanted: &WantedSeries) {
        let id = request.server(wanted).id();
        self.forget(id);
        for &point in &wanted.points {
            intake.verdicts.refuse(intake.points.items[point], Code::UnknownServer, || not_registered(id));
        }
    }

    /// Remembers a series under every spelling the request had for it.
    fn learn(&self, request: &Request<'_>, intake: &Intake, wanted: &WantedSeries, id: SeriesId, ids: &mut [SeriesId]) {
        let server = request.server(wanted);
        let identity = wanted.identity.clone();
        let series = Arc::new(Series { id, server: server.key(), server_id: server.id(), identity });
        server.known_mut().add(Arc::clone(&series));
        self.directory.add(series);
        let mut spellings = server.spellings_mut();
        for &point in &wanted.points {
            ids[point] = id;
            spellings.add(RawTexts::of(intake.points.identities[point], request.body), id);
        }
    }
}

/// What stays the same while one request is resolved.
struct Request<'a> {
    body: &'a [u8],
    entries: &'a [Option<Arc<ServerEntry>>],
    canonical: Canonical,
}

/// A series that has to be found or made, and the points of the request that belong to it.
struct WantedSeries {
    /// Index of its server among the request's.
    server: u32,
    identity: Identity,
    points: Vec<usize>,
}

impl Request<'_> {
    fn server(&self, wanted: &WantedSeries) -> &Arc<ServerEntry> {
        self.entries[wanted.server as usize].as_ref().expect("points of unknown servers are never missed, only refused")
    }

    /// Reads the spellings of `misses`: the known ones get their ids, the unreadable ones a verdict, and the rest is
    /// what has to be found.
    fn canonicalise(&self, intake: &mut Intake, misses: &[usize], ids: &mut [SeriesId]) -> Vec<WantedSeries> {
        let mut wanted: Vec<WantedSeries> = Vec::new();
        let mut places: HashMap<(u32, Identity), usize> = HashMap::new();
        for &point in misses {
            let (server, raw) = (intake.points.servers[point], intake.points.identities[point]);
            let identity = match (self.canonical)(self.body, raw) {
                Ok(identity) => identity,
                Err((code, reason)) => {
                    intake.verdicts.refuse(intake.points.items[point], code, || reason);
                    continue;
                }
            };
            let Some(entry) = &self.entries[server as usize] else { continue };
            let known = entry.known().get(&identity).map(|series| series.id);
            if let Some(id) = known {
                entry.spellings_mut().add(RawTexts::of(raw, self.body), id);
                ids[point] = id;
                continue;
            }
            let place = *places.entry((server, identity)).or_insert_with_key(|(server, identity)| {
                wanted.push(WantedSeries { server: *server, identity: identity.clone(), points: Vec::new() });
                wanted.len() - 1
            });
            wanted[place].points.push(point);
        }
        wanted
    }
}

/// The hot path: fills `ids` from the spellings and answers the places where none was found.
fn look_up(body: &[u8], intake: &Intake, entries: &[Option<Arc<ServerEntry>>], ids: &mut [SeriesId]) -> Vec<usize> {
    let points = &intake.points;
    let mut misses = Vec::new();
    let mut start = 0;
    // A run of samples of one server takes that server's lock once.
    for run in points.servers.chunk_by(|left, right| left == right) {
        let end = start + run.len();
        if let Some(entry) = &entries[run[0] as usize] {
            let spellings = entry.spellings();
            for (place, id) in (start..end).zip(&mut ids[start..end]) {
                match spellings.get(RawTexts::of(points.identities[place], body)) {
                    Some(known) => *id = known,
                    None => misses.push(place),
                }
            }
        }
        start = end;
    }
    misses
}

fn refuse_unknown_servers(intake: &mut Intake, entries: &[Option<Arc<ServerEntry>>]) {
    if entries.iter().all(Option::is_some) {
        return;
    }
    for place in 0..intake.points.len() {
        let server = intake.points.servers[place] as usize;
        if entries[server].is_none() {
            let id = intake.servers()[server];
            intake.verdicts.refuse(intake.points.items[place], Code::UnknownServer, || not_registered(id));
        }
    }
}

fn not_registered(server_id: Uuid) -> String {
    format!("server {server_id} is not registered")
}

/// Moves the points that have an id into a batch.
fn take_resolved(intake: &mut Intake, mut ids: Vec<SeriesId>) -> Batch {
    let mut times = std::mem::take(&mut intake.points.times);
    let mut values = std::mem::take(&mut intake.points.values);
    if ids.contains(&UNRESOLVED) {
        let mut keep = ids.iter().map(|id| *id != UNRESOLVED);
        times.retain(|_| keep.next().unwrap_or(false));
        let mut keep = ids.iter().map(|id| *id != UNRESOLVED);
        values.retain(|_| keep.next().unwrap_or(false));
        ids.retain(|id| *id != UNRESOLVED);
    }
    intake.points.clear();
    Batch { series: ids, times, values }
}

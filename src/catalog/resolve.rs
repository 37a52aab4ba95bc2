//! A request's points to a batch: every sample gets its series id, or its item a reason.

use std::sync::Arc;

use uuid::Uuid;

use super::Catalog;
use super::server::ServerEntry;
use super::settle::{Settling, Spelt};
use super::spellings::RawTexts;
use crate::model::{Batch, Code, Identity, Intake, RawIdentity, Reach, SeriesId};
use crate::store::StoreError;

/// How a dialect turns a spelling into what it names, or says why it names nothing.
pub type Canonical = fn(&[u8], RawIdentity) -> Result<Identity, (Code, String)>;

/// The same for a dialect with settings.
pub(super) type Naming<'a> = &'a (dyn Fn(&[u8], RawIdentity) -> Result<Identity, (Code, String)> + Sync);

/// Stands for a series that is not known yet. PostgreSQL counts series from one.
pub(super) const UNRESOLVED: SeriesId = SeriesId(0);

/// What a request came to.
#[derive(Debug)]
pub struct Resolved {
    pub batch: Batch,
    /// The servers the batch speaks of, in order of first use.
    pub servers: Vec<Arc<ServerEntry>>,
    /// How many samples were of spellings not met before.
    pub misses: usize,
    /// The points that are not in the batch, by their places among those that came.
    pub lost: Vec<usize>,
}

impl Catalog {
    /// Takes the points out of `intake` and adds a verdict for each item that cannot be stored. A server out of reach is
    /// not registered for who asks.
    ///
    /// # Errors
    /// When something had to be asked of PostgreSQL and it is not available.
    pub async fn resolve(
        &self,
        body: &[u8],
        intake: &mut Intake,
        canonical: Canonical,
        reach: &Reach,
    ) -> Result<Resolved, StoreError> {
        let entries = self.servers.find(intake.servers(), reach).await?;
        let mut ids = vec![UNRESOLVED; intake.points.len()];
        let misses = look_up(body, intake, &entries, &mut ids);
        if !misses.is_empty() {
            let spelt = Spelt { body, entries: &entries, canonical: &canonical, remembered: true };
            Settling { catalog: self, spelt, intake, ids: &mut ids }.settle(&misses).await?;
        }
        refuse_unknown_servers(intake, &entries);
        let (batch, lost) = take_resolved(intake, ids);
        Ok(Resolved { batch, servers: entries.into_iter().flatten().collect(), misses: misses.len(), lost })
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

pub(super) fn not_registered(server_id: Uuid) -> String {
    format!("server {server_id} is not registered")
}

/// Moves the points that have an id into a batch, and answers the places of the others.
pub(super) fn take_resolved(intake: &mut Intake, mut ids: Vec<SeriesId>) -> (Batch, Vec<usize>) {
    let mut times = std::mem::take(&mut intake.points.times);
    let mut values = std::mem::take(&mut intake.points.values);
    let mut lost = Vec::new();
    if ids.contains(&UNRESOLVED) {
        lost.extend(ids.iter().enumerate().filter(|(_, id)| **id == UNRESOLVED).map(|(place, _)| place));
        let mut keep = ids.iter().map(|id| *id != UNRESOLVED);
        times.retain(|_| keep.next().unwrap_or(false));
        let mut keep = ids.iter().map(|id| *id != UNRESOLVED);
        values.retain(|_| keep.next().unwrap_or(false));
        ids.retain(|id| *id != UNRESOLVED);
    }
    intake.points.clear();
    (Batch { series: ids, times, values }, lost)
}

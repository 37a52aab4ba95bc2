//! A request's points to a batch, when lines hold many points: points of one line stand together and share all of their
//! identity but the name. An item may be several lines. The server is not known beforehand but named by the line, and registered when it is new.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Catalog;
use super::line_entry::LineEntry;
use super::lines::Speaker;
use super::resolve::{Naming, Resolved, UNRESOLVED, take_resolved};
use super::server::ServerEntry;
use super::settle::{Settling, Spelt};
use super::spellings::RawTexts;
use crate::model::{Code, Intake, Points, RawIdentity, Reach, SeriesId, ServerKey, Span, Whom};
use crate::store::StoreError;

type HostOf<'a> = &'a (dyn Fn(&[u8], RawIdentity) -> Result<String, (Code, String)> + Sync);

/// How a dialect reads what stands before the fields of a line, or says why it names nothing.
#[derive(Clone, Copy)]
pub struct LineNaming<'a> {
    /// The host name of the server.
    pub host: HostOf<'a>,
    pub canonical: Naming<'a>,
}

impl fmt::Debug for LineNaming<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LineNaming").finish_non_exhaustive()
    }
}

/// Whose lines are looked up.
#[derive(Clone, Copy, Debug)]
struct Asking<'a> {
    whom: Whom<'a>,
    speaker: Speaker,
}

/// The lines of which something was not found, as ranges of points, and those points.
#[derive(Debug, Default)]
struct Missed {
    lines: Vec<Range<usize>>,
    points: Vec<usize>,
}

impl Catalog {
    /// Takes the points out of `intake` and adds a verdict for each line or field that cannot be stored. `whom` says which
    /// servers can be meant by the host names.
    ///
    /// # Errors
    /// When something had to be asked of PostgreSQL and it is not available.
    pub async fn resolve_lines(
        &self,
        body: &[u8],
        intake: &mut Intake,
        naming: LineNaming<'_>,
        whom: Whom<'_>,
    ) -> Result<Resolved, StoreError> {
        let asking = self.asking(whom).await?;
        let mut ids = vec![UNRESOLVED; intake.points.len()];
        let mut servers = Vec::new();
        let missed = self.look_up_lines((body, asking), &intake.points, &mut ids, &mut servers);
        let misses = missed.points.len();
        if misses > 0 {
            let met = self.settle_lines((body, asking), intake, &mut ids, (missed, naming)).await?;
            servers.extend(met.into_iter().flatten());
        }
        let (batch, lost) = take_resolved(intake, ids);
        Ok(Resolved { batch, servers, misses, lost })
    }

    async fn asking<'a>(&self, whom: Whom<'a>) -> Result<Asking<'a>, StoreError> {
        let speaker = match whom {
            Whom::Hosts(_) => Speaker::HOSTS,
            Whom::Server(id) => {
                let own = self.servers.find(&[id], &Reach::server(id)).await?.into_iter().flatten().next();
                // Of a server that is not there no line is known, and none will be.
                Speaker::of(own.map_or_else(ServerKey::default, |own| own.key()))
            }
        };
        Ok(Asking { whom, speaker })
    }

    /// The hot path: fills `ids` and answers what was not found.
    fn look_up_lines(
        &self,
        (body, Asking { whom, speaker }): (&[u8], Asking<'_>),
        points: &Points,
        ids: &mut [SeriesId],
        servers: &mut Vec<Arc<ServerEntry>>,
    ) -> Missed {
        let mut missed = Missed::default();
        // Those who speak for one server have lines of that server only.
        let reach = match whom {
            Whom::Hosts(reach) if !reach.is_everything() => Some(reach),
            _ => None,
        };
        let mut start = 0;
        while start < points.len() {
            let line = start..line_end(points, start);
            start = line.end;
            let key = key(points.identities[line.start]).of(body);
            let hash = self.lines.hash(speaker, key);
            let part = self.lines.part(hash);
            let known = part.get(hash, speaker, key);
            let is_new = |server| servers.last().is_none_or(|last| !Arc::ptr_eq(last, server));
            let known = known.map(|entry| (entry, is_new(entry.server())));
            // A server that is not new was looked at with the line before.
            let is_there = |(entry, is_new): &(&LineEntry, bool)| {
                !is_new || reach.is_none_or(|reach| entry.server().is_within(reach))
            };
            let Some((entry, is_new)) = known.filter(is_there) else {
                missed.points.extend(line.clone());
                missed.lines.push(line);
                continue;
            };
            if is_new {
                servers.push(Arc::clone(entry.server()));
            }
            let (mut expected, missed_before) = (0, missed.points.len());
            for place in line.clone() {
                match entry.find(points.identities[place].metric_name.of(body), expected) {
                    Some((series, next)) => (ids[place], expected) = (series, next),
                    None => missed.points.push(place),
                }
            }
            if missed.points.len() > missed_before {
                missed.lines.push(line);
            }
        }
        missed
    }

    /// The cold path: names the servers of the lines, finds or makes their series, and remembers both.
    async fn settle_lines(
        &self,
        (body, Asking { whom, speaker }): (&[u8], Asking<'_>),
        intake: &mut Intake,
        ids: &mut [SeriesId],
        (mut missed, naming): (Missed, LineNaming<'_>),
    ) -> Result<Vec<Option<Arc<ServerEntry>>>, StoreError> {
        let hosts = name_servers(body, intake, &mut missed, naming);
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let entries = self.servers.of_hosts(&hosts, whom).await?;
        let servers_max = self.servers.servers_max();
        let may_add = matches!(whom, Whom::Hosts(reach) if reach.is_whole_fleet());
        missed.lines.retain(|line| {
            let (item, place) = (intake.points.items[line.start], intake.points.servers[line.start] as usize);
            let is_known = entries[place].is_some();
            if !is_known && may_add {
                let full = || format!("there are {servers_max} servers, no more are allowed (catalog.servers_max)");
                intake.verdicts.refuse(item, Code::TooManyServers, full);
            } else if !is_known {
                let absent = || format!("server \"{}\" is not registered", hosts[place]);
                intake.verdicts.refuse(item, Code::UnknownServer, absent);
            }
            is_known
        });
        // The lines are in the order of the points, and each point belongs to one.
        let points = &intake.points;
        missed.points = missed.lines.iter().flat_map(Range::clone).filter(|point| ids[*point] == UNRESOLVED).collect();
        missed.points.retain(|&point| {
            let spelt = RawTexts::of(points.identities[point], body);
            let entry = entries[points.servers[point] as usize].as_ref();
            let known = entry.and_then(|entry| entry.spellings().get(spelt));
            known.inspect(|id| ids[point] = *id).is_none()
        });
        let unknown = missed.points.clone();
        if !unknown.is_empty() {
            let spelt = Spelt { body, entries: &entries, canonical: naming.canonical, remembered: false };
            Settling { catalog: self, spelt, intake, ids }.settle(&unknown).await?;
            self.remember((body, speaker), &intake.points, ids, (&missed, &entries));
        }
        Ok(entries)
    }

    /// Remembers what was settled with its line, and what the line has no room for with its server.
    fn remember(
        &self,
        (body, speaker): (&[u8], Speaker),
        points: &Points,
        ids: &[SeriesId],
        (missed, entries): (&Missed, &[Option<Arc<ServerEntry>>]),
    ) {
        let mut settled = missed.points.as_slice();
        for line in &missed.lines {
            let (of_line, rest) = settled.split_at(settled.partition_point(|point| *point < line.end));
            settled = rest;
            let Some(server) = &entries[points.servers[line.start] as usize] else { continue };
            let of_line: Vec<usize> = of_line.iter().copied().filter(|point| ids[*point] != UNRESOLVED).collect();
            if of_line.is_empty() {
                continue;
            }
            let fields = of_line.iter().map(|&point| (points.identities[point].metric_name.of(body), ids[point]));
            let remembered = self.lines.add((speaker, key(points.identities[line.start]).of(body)), server, fields);
            let others = of_line.iter().zip(remembered).filter(|(_, remembered)| !remembered);
            for (&point, _) in others {
                server.spellings_mut().add(RawTexts::of(points.identities[point], body), ids[point]);
            }
        }
    }
}

/// Where the line that begins at `start` ends: with its item, or where its item goes on under another key.
#[inline(always)]
fn line_end(points: &Points, start: usize) -> usize {
    let (item, key) = (points.items[start], key(points.identities[start]));
    let others = points.items[start..].iter().zip(&points.identities[start..]);
    start + others.take_while(|(other, raw)| **other == item && self::key(**raw) == key).count()
}

/// All of a line that stands before its fields.
#[inline(always)]
fn key(raw: RawIdentity) -> Span {
    Span { start: raw.metric_type.start, end: raw.labels.end }
}

/// Gives the points of the missed lines their server, as an index into the host names that are answered. Lines that name
/// none are refused and taken out.
fn name_servers(body: &[u8], intake: &mut Intake, missed: &mut Missed, naming: LineNaming<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut places: HashMap<String, u32> = HashMap::new();
    missed.lines.retain(|line| {
        let points = &mut intake.points;
        match (naming.host)(body, points.identities[line.start]) {
            Ok(host) => {
                let place = *places.entry(host).or_insert_with_key(|host| {
                    hosts.push(host.clone());
                    hosts.len() as u32 - 1
                });
                points.servers[line.clone()].fill(place);
                true
            }
            Err((code, reason)) => {
                intake.verdicts.refuse(points.items[line.start], code, || reason);
                false
            }
        }
    });
    hosts
}

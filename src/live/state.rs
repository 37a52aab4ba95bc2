//! What the hub knows and does, as a plain value: no thread, no channel, no clock, so that tests drive it step by step.
//!
//! Subscribers that asked for the same form a group: a sample is matched, and its runs are built, once for all of
//! them. A group whose last member left is kept for a while, because browsers come back with the same filter.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::backlog::LostTotal;
use super::frame::{Frame, Run, RunBuilder};
use super::mailbox::Mailbox;
use super::marks::Marks;
use super::reports::{AgentReport, ReportsOf};
use super::stats::LiveStats;
use crate::matching::{ENTRIES_MAX, Filter, Full, GroupId, Routes};
use crate::model::series::SeriesDirectory;
use crate::model::{Committed, UserId};

/// Empty groups are swept out once there are this many, plus half the number of the others.
const EMPTY_GROUPS_MAX: usize = 64;

/// Steps of matching between two works: some milliseconds.
const MATCH_STEPS_MAX: usize = 64 * 1024;

/// Something other than a metric that subscribers of a server are told.
#[derive(Clone, Debug)]
pub struct Event {
    pub server_id: Uuid,
    /// The `type` of the frame, such as `process_snapshot`.
    pub kind: &'static str,
    /// JSON.
    pub data: Bytes,
}

/// Names one subscription; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionId(u64);

/// The subscriptions and where samples go.
pub(super) struct HubState {
    routes: Routes,
    groups: Vec<Group>,
    /// The groups in use, empty ones included.
    ids: HashMap<(Arc<Filter>, bool), GroupId>,
    free: Vec<GroupId>,
    sessions: HashMap<SessionId, Place>,
    /// Who listens to reports, by whose they are.
    listeners: HashMap<UserId, Vec<Listener>>,
    session_last: u64,
    marks: Marks,
    frame: Frame,
    /// The groups the flush at hand has something for.
    touched: Vec<GroupId>,
    stats: Arc<LiveStats>,
}

/// Where a session is found.
#[derive(Clone, Copy)]
enum Place {
    Group(GroupId),
    ReportsOf(UserId),
}

struct Listener {
    session: SessionId,
    server_id: Option<Uuid>,
    mailbox: Arc<Mailbox>,
}

struct Group {
    members: Vec<(SessionId, Arc<Mailbox>)>,
    batch: bool,
    builder: RunBuilder,
    /// Samples of the flush at hand that are counted instead of delivered.
    missed: u64,
    is_touched: bool,
}

impl HubState {
    /// `marks` says where the journal stood when the hub came to life: what is before has not been handed to it.
    pub(super) fn new(directory: Arc<dyn SeriesDirectory>, marks: Marks, stats: Arc<LiveStats>) -> Self {
        Self {
            routes: Routes::new(directory, ENTRIES_MAX),
            groups: Vec::new(),
            ids: HashMap::new(),
            free: Vec::new(),
            sessions: HashMap::new(),
            listeners: HashMap::new(),
            session_last: 0,
            marks,
            frame: Frame::new(),
            touched: Vec::new(),
            stats,
        }
    }

    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many groups there are, empty ones included.
    #[cfg(test)]
    pub(super) fn groups_kept(&self) -> usize {
        self.ids.len()
    }

    /// The group of those who ask for this, begun when there is none. Nobody may join it, nor another one be begun,
    /// until [`HubState::match_some`] says that it is complete.
    pub(super) fn group(&mut self, filter: &Arc<Filter>, batch: bool) -> Result<GroupId, Full> {
        match self.ids.get(&(Arc::clone(filter), batch)) {
            Some(group) => Ok(*group),
            None => self.add_group(filter, batch),
        }
    }

    /// Matches a slice of the known series against a group that was begun. Returns whether it is complete.
    pub(super) fn match_some(&mut self) -> bool {
        self.routes.match_some(MATCH_STEPS_MAX)
    }

    /// Servers whose owner or labels changed: who may see their samples is looked at anew.
    pub(super) fn judge_anew(&mut self, server_ids: &[Uuid]) {
        server_ids.iter().for_each(|id| self.routes.unlearn(*id));
    }

    /// From now on what matches goes to `mailbox`; what was handed on before is up to [`HubState::marks`].
    pub(super) fn join(&mut self, group: GroupId, mailbox: Arc<Mailbox>) -> SessionId {
        let session = self.enter(Place::Group(group));
        self.groups[group as usize].members.push((session, mailbox));
        session
    }

    /// The same for reports, and only these.
    pub(super) fn listen(&mut self, of: ReportsOf, mailbox: Arc<Mailbox>) -> SessionId {
        let session = self.enter(Place::ReportsOf(of.owner));
        let listener = Listener { session, server_id: of.server_id, mailbox };
        self.listeners.entry(of.owner).or_default().push(listener);
        session
    }

    fn enter(&mut self, place: Place) -> SessionId {
        self.session_last += 1;
        let session = SessionId(self.session_last);
        self.sessions.insert(session, place);
        self.count_sessions();
        session
    }

    pub(super) fn unsubscribe(&mut self, session: SessionId) {
        match self.sessions.remove(&session) {
            Some(Place::Group(group)) => {
                self.groups[group as usize].members.retain(|(member, _)| *member != session);
            }
            Some(Place::ReportsOf(owner)) => {
                let left = self.listeners.get_mut(&owner).map(|of_owner| {
                    of_owner.retain(|listener| listener.session != session);
                    of_owner.len()
                });
                if left == Some(0) {
                    self.listeners.remove(&owner);
                }
            }
            None => return,
        }
        self.count_sessions();
        // There is one group per session at most, plus the empty ones, so this bounds the table.
        if self.ids.len() > self.sessions.len() + self.sessions.len() / 2 + EMPTY_GROUPS_MAX {
            self.sweep();
        }
    }

    /// Ends the subscriptions whose mailbox is closed, for those that could not say so.
    pub(super) fn unsubscribe_closed(&mut self) {
        let members = self.groups.iter().flat_map(|group| &group.members).map(|(session, mailbox)| (*session, mailbox));
        let listeners = self.listeners.values().flatten().map(|listener| (listener.session, &listener.mailbox));
        let all = members.chain(listeners);
        let closed: Vec<_> = all.filter(|(_, mailbox)| mailbox.is_closed()).map(|(session, _)| session).collect();
        closed.into_iter().for_each(|session| self.unsubscribe(session));
    }

    /// Hands the samples of a flush to those who asked for them and wakes each of them once.
    pub(super) fn deliver(&mut self, flush: &Committed) {
        self.marks.advance(flush.origin, flush.sequence);
        if self.sessions.is_empty() {
            return;
        }
        let (batch, mut unknown) = (&flush.batch, 0);
        for ((series, time), value) in batch.series.iter().zip(&batch.times).zip(&batch.values) {
            let Some(route) = self.routes.of(*series) else {
                unknown += 1;
                continue;
            };
            let mut is_encoded = false;
            for id in route.groups() {
                let group = &mut self.groups[id as usize];
                if group.members.is_empty() {
                    continue;
                }
                if !is_encoded {
                    self.frame.metric(route.series, *time, *value);
                    is_encoded = true;
                }
                group.touch(id, &mut self.touched);
                group.push(&self.frame);
            }
        }
        self.hand_over();
        LiveStats::add(&self.stats.unknown_series, unknown);
    }

    /// Tells those who asked for samples of this flush how many they miss, without encoding one.
    pub(super) fn skip(&mut self, flush: &Committed) {
        self.marks.advance(flush.origin, flush.sequence);
        LiveStats::add(&self.stats.flushes_dropped, 1);
        if self.sessions.is_empty() {
            return;
        }
        for series in &flush.batch.series {
            let Some(route) = self.routes.of(*series) else { continue };
            for id in route.groups() {
                let group = &mut self.groups[id as usize];
                group.touch(id, &mut self.touched);
                group.missed += 1;
            }
        }
        self.hand_over();
    }

    /// Tells everyone of what was lost before anyone could look at it.
    pub(super) fn lose(&mut self, total: &LostTotal) {
        total.marks.iter().for_each(|(origin, sequence)| self.marks.advance(origin, sequence));
        LiveStats::add(&self.stats.flushes_dropped, total.flushes);
        for (_, mailbox) in self.groups.iter().flat_map(|group| &group.members) {
            mailbox.lost(total.messages);
            mailbox.wake();
        }
    }

    /// An event is long, so it is encoded once in each form, whatever the number of groups, and shared by all.
    pub(super) fn publish(&mut self, event: &Event) {
        let (mut single, mut array) = (None, None);
        for id in self.routes.of_event(event.server_id) {
            let group = &self.groups[id as usize];
            if group.members.is_empty() {
                continue;
            }
            let run = if group.batch { &mut array } else { &mut single };
            let run = run.get_or_insert_with(|| {
                let mut frame = Frame::new();
                frame.event(event.kind, &event.data);
                frame.alone(group.batch)
            });
            group.send(run);
            group.members.iter().for_each(|(_, mailbox)| mailbox.wake());
        }
    }

    /// A report is encoded once for all who listen to it.
    pub(super) fn report(&mut self, report: &AgentReport) {
        let Some(of_owner) = self.listeners.get(&report.owner) else { return };
        let mut run = None;
        for listener in of_owner {
            if listener.server_id.is_some_and(|server_id| server_id != report.server_id) {
                continue;
            }
            let run: &Run = run.get_or_insert_with(|| {
                let mut frame = Frame::new();
                frame.verbatim(&report.text);
                frame.alone(false)
            });
            listener.mailbox.push(run.clone());
            listener.mailbox.wake();
        }
    }

    fn add_group(&mut self, filter: &Arc<Filter>, batch: bool) -> Result<GroupId, Full> {
        let id = self.free.last().copied().unwrap_or(self.groups.len() as GroupId);
        self.routes.add(id, filter)?;
        let group = Group::new(batch);
        match self.free.pop() {
            Some(id) => self.groups[id as usize] = group,
            None => self.groups.push(group),
        }
        self.ids.insert((Arc::clone(filter), batch), id);
        Ok(id)
    }

    /// Forgets all empty groups at once.
    fn sweep(&mut self) {
        let groups = &self.groups;
        self.routes.remove(|id| groups[id as usize].members.is_empty());
        let free = &mut self.free;
        self.ids.retain(|_, id| {
            let is_empty = groups[*id as usize].members.is_empty();
            if is_empty {
                free.push(*id);
            }
            !is_empty
        });
    }

    /// Ends the flush at hand: what is left goes to the mailboxes, and their sessions are woken.
    fn hand_over(&mut self) {
        for id in self.touched.drain(..) {
            let group = &mut self.groups[id as usize];
            group.is_touched = false;
            let last = group.builder.finish();
            let missed = std::mem::take(&mut group.missed);
            for (_, mailbox) in &group.members {
                if let Some(run) = &last {
                    mailbox.push(run.clone());
                }
                if missed > 0 {
                    mailbox.lost(missed);
                }
                mailbox.wake();
            }
        }
    }

    fn count_sessions(&self) {
        self.stats.sessions.store(self.sessions.len() as u64, std::sync::atomic::Ordering::Relaxed);
    }
}

impl fmt::Debug for HubState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubState").field("sessions", &self.sessions.len()).finish_non_exhaustive()
    }
}

impl Group {
    fn new(batch: bool) -> Self {
        Self { members: Vec::new(), batch, builder: RunBuilder::new(batch), missed: 0, is_touched: false }
    }

    fn touch(&mut self, id: GroupId, touched: &mut Vec<GroupId>) {
        if !self.is_touched {
            self.is_touched = true;
            touched.push(id);
        }
    }

    /// Full runs go on at once, so that what is gathered for all groups together stays small.
    fn push(&mut self, frame: &Frame) {
        if let Some(run) = self.builder.push(frame) {
            self.send(&run);
        }
    }

    fn send(&self, run: &Run) {
        for (_, mailbox) in &self.members {
            mailbox.push(run.clone());
        }
    }
}

//! Reports of agents as they came, to the sockets of the persons the agents belong to.
//!
//! A report is told once, whichever node took it in: at once by this one, and when others' are looked for. It says how an
//! agent is as a whole, so one that a slow socket misses is made up for by the next, and nobody is told of the loss.
//! Nothing is kept, nor looked for, for persons who do not listen. Must not know where reports are stored.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;

use super::hub::Hub;
use crate::model::UserId;

/// Numbers are given before the commit, so a report may come to light after one with a higher number: this late at most.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// Most reports that are known to have been told; beyond, a late one among the older half is not.
const TOLD_MAX: usize = 65_536;

/// What is to be told.
#[derive(Clone, Debug)]
pub struct AgentReport {
    /// Grows from report to report.
    pub number: i64,
    pub server_id: Uuid,
    pub owner: UserId,
    /// JSON, pushed as it is.
    pub text: Bytes,
}

/// Whose reports a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportsOf {
    pub owner: UserId,
    /// Only this server's.
    pub server_id: Option<Uuid>,
}

/// Which reports may not have been told: those above `after` that are not among `told`.
#[derive(Debug)]
pub struct Untold {
    /// `None`: nobody listened so far.
    pub after: Option<i64>,
    pub told: Vec<i64>,
    /// Who listens.
    pub owners: Vec<UserId>,
}

#[derive(Debug)]
pub struct Reports {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many sessions each person has.
    listeners: HashMap<UserId, usize>,
    after: Option<i64>,
    told: BTreeSet<i64>,
    /// The newest number at each look of the last while.
    newest: VecDeque<(Instant, i64)>,
}

/// Someone who listens until this is dropped.
#[derive(Debug)]
pub struct Listening {
    reports: Arc<Reports>,
    owner: UserId,
}

impl Reports {
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub, state: Mutex::default() }
    }

    pub fn listen(self: &Arc<Self>, owner: UserId) -> Listening {
        *self.state().listeners.entry(owner).or_default() += 1;
        Listening { reports: Arc::clone(self), owner }
    }

    /// Whether anyone listens to reports of agents of `owner`.
    pub fn are_heard(&self, owner: UserId) -> bool {
        self.state().listeners.contains_key(&owner)
    }

    /// How many persons listen.
    pub fn listeners(&self) -> usize {
        self.state().listeners.len()
    }

    /// Tells of a committed report, unless that was done before.
    pub fn tell(&self, report: AgentReport) {
        let mut state = self.state();
        if state.is_new(report.number) && state.listeners.contains_key(&report.owner) {
            // Under the lock, so that two reports of one agent are told in the order in which they came here.
            self.hub.report(report);
        }
    }

    /// What to look for; `None` when nobody listens.
    pub fn untold(&self) -> Option<Untold> {
        let mut state = self.state();
        if state.listeners.is_empty() {
            *state = State::default();
            return None;
        }
        let owners = state.listeners.keys().copied().collect();
        Some(Untold { after: state.after, told: state.told.iter().copied().collect(), owners })
    }

    /// A look at `now` found `newest` to be the highest number. Those that nobody listened to count as told.
    pub fn looked(&self, now: Instant, newest: i64, passed_over: &[i64]) {
        let mut state = self.state();
        for number in passed_over {
            state.is_new(*number);
        }
        match state.after {
            None => state.pass(newest),
            // Numbers go back only when the database was set back, or the newest reports were deleted.
            Some(after) if newest < after => {
                let listeners = std::mem::take(&mut state.listeners);
                *state = State { listeners, after: Some(newest), ..State::default() };
            }
            Some(_) => {}
        }
        state.newest.push_back((now, newest));
        state.settle(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_new(&mut self, number: i64) -> bool {
        if self.listeners.is_empty() {
            return false;
        }
        let is_new = self.after.is_none_or(|after| number > after) && self.told.insert(number);
        if self.told.len() > TOLD_MAX {
            let middle = self.told.iter().nth(TOLD_MAX / 2).copied();
            self.pass(middle.unwrap_or(number));
        }
        is_new
    }

    /// What was there some time ago is all that will ever be there below it.
    fn settle(&mut self, now: Instant) {
        while let Some((at, newest)) = self.newest.front().copied()
            && now.saturating_duration_since(at) >= SETTLED_AFTER
        {
            self.newest.pop_front();
            self.pass(newest);
        }
    }

    fn pass(&mut self, number: i64) {
        let after = self.after.map_or(number, |after| after.max(number));
        self.after = Some(after);
        self.told = self.told.split_off(&after.saturating_add(1));
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.reports.state();
        if let Some(sessions) = state.listeners.get_mut(&self.owner) {
            *sessions -= 1;
            if *sessions == 0 {
                state.listeners.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::HubConfig;
    use crate::live::marks::Marks;
    use crate::matching::fixtures::directory;

    const ANN: UserId = UserId(1);

    fn reports() -> (Arc<Reports>, crate::live::HubWorker) {
        let (hub, worker) = Hub::build(HubConfig::default(), Arc::new(directory()), Marks::default());
        (Arc::new(Reports::new(hub)), worker)
    }

    fn report(number: i64) -> AgentReport {
        AgentReport { number, server_id: Uuid::nil(), owner: ANN, text: "{}".into() }
    }

    #[test]
    fn nothing_is_looked_for_nor_kept_while_nobody_listens() {
        let (reports, _worker) = reports();
        reports.tell(report(7));
        assert!(reports.untold().is_none());
        let listening = reports.listen(ANN);
        let untold = reports.untold().unwrap();
        assert_eq!((untold.after, untold.told.len(), untold.owners), (None, 0, vec![ANN]));
        drop(listening);
        assert!(reports.untold().is_none() && !reports.are_heard(ANN));
    }

    #[test]
    fn a_report_is_told_once_however_often_and_late_it_is_met() {
        let (reports, _worker) = reports();
        let _listening = reports.listen(ANN);
        let at = Instant::now();
        reports.looked(at, 10, &[]);
        reports.tell(report(10));
        reports.tell(report(13));
        reports.tell(report(13));
        reports.looked(at + Duration::from_secs(1), 13, &[12]);
        let untold = reports.untold().unwrap();
        assert_eq!((untold.after, untold.told), (Some(10), vec![12, 13]), "11 may come to light yet");
        reports.looked(at + SETTLED_AFTER + Duration::from_secs(1), 20, &[]);
        let untold = reports.untold().unwrap();
        assert_eq!((untold.after, untold.told), (Some(13), vec![]));
    }

    #[test]
    fn a_database_that_was_set_back_is_begun_with_anew() {
        let (reports, _worker) = reports();
        let _listening = reports.listen(ANN);
        reports.looked(Instant::now(), 100, &[]);
        reports.looked(Instant::now(), 40, &[]);
        assert_eq!(reports.untold().unwrap().after, Some(40));
    }

    #[test]
    fn what_is_known_to_have_been_told_is_bounded() {
        let (reports, _worker) = reports();
        let _listening = reports.listen(ANN);
        (0..2 * TOLD_MAX as i64).for_each(|number| reports.tell(report(number)));
        assert!(reports.untold().unwrap().told.len() <= TOLD_MAX);
    }
}

//! Reports of the source systems' agents, judged in the very transaction that stores them: whoever is told that a report
//! was kept can rely on it having been judged, once.

use serde_json::Value as Json;
use uuid::Uuid;

use super::notice::Body;
use super::packs::statusmonitor::{AgentRule, Fired, Look, Terms};
use super::packs::{fleet, statusmonitor, syncpulse};
use super::quiet::Quiet;
use super::silence::Subject;
use crate::model::alert::{Event, Happened, RuleId, Source, State};
use crate::model::{Micros, ServerKey, UserId};
use crate::settings;
use crate::settings::packs::Syncpulse;
use crate::store::alerts::{Finding, NoticeRow, agent_rules, record, reports};
use crate::store::{StoreError, Transaction};
use crate::wire::tree::Value;

/// Rules of one agent that judge a report; those made last do not.
const RULES_OF_AGENT_MAX: usize = 1_000;

/// A report that is being stored.
#[derive(Clone, Copy, Debug)]
pub struct Reported<'a> {
    pub server: (ServerKey, Uuid),
    pub sender: Sender<'a>,
    pub report: Value<'a>,
    pub now: Micros,
}

/// Whose alerts a report may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'a> {
    /// Nobody's.
    Host,
    /// Those of the pack for devices, under this name.
    Device(&'a str),
    /// The rules that the owner of the agent has made for it.
    Agent(i32),
    /// Those of the fleet, later.
    Endpoint,
}

/// Judges a report as part of the transaction that stores it, and answers whether there is something to tell.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn judge(transaction: &Transaction<'_>, reported: &Reported<'_>) -> Result<bool, StoreError> {
    match reported.sender {
        Sender::Host => Ok(false),
        Sender::Device(device) => judge_device(transaction, reported, device).await,
        Sender::Agent(agent) => judge_agent(transaction, reported, agent).await,
        Sender::Endpoint => {
            let kept = fleet::Kept::of(reported.report, reported.now);
            let kept = serde_json::to_value(kept).unwrap_or_default();
            let server = (reported.server.0, fleet::PACK);
            crate::store::alerts::fleet::reported(transaction, server, &kept).await?;
            Ok(false)
        }
    }
}

async fn judge_device(
    transaction: &Transaction<'_>,
    reported: &Reported<'_>,
    device: &str,
) -> Result<bool, StoreError> {
    let place = (reported.server.0, syncpulse::PACK);
    let active = texts(&reports::hold(transaction, place.0, place.1).await?);
    let above = settings::packs(transaction).await?.syncpulse;
    let Syncpulse { enabled: true, .. } = above else { return Ok(false) };
    let changes = syncpulse::compare(&active, syncpulse::found(reported.report, &above));
    if changes.told.is_empty() {
        return Ok(false);
    }
    let owner = reports::put(transaction, place, &Json::from(changes.active), changes.told.len()).await?;
    let event = |found: syncpulse::Found| Event {
        at: reported.now,
        owner,
        source: Source::Pack(syncpulse::PACK),
        server: Some(reported.server),
        series: None,
        happened: if found.has_recovered { Happened::Resolved } else { Happened::Firing },
        severity: found.severity,
        title: found.text,
        sample_time: None,
        value: None,
        details: [("device".to_owned(), Json::from(device))].into_iter().collect(),
    };
    let finding = Finding { events: changes.told.into_iter().map(event).collect(), ..Finding::default() };
    record(transaction, &finding, reported.now).await?;
    Ok(true)
}

async fn judge_agent(transaction: &Transaction<'_>, reported: &Reported<'_>, agent: i32) -> Result<bool, StoreError> {
    let mut rules: Vec<AgentRule> = agent_rules::hold(transaction, agent).await?.into_iter().filter_map(rule).collect();
    rules.truncate(RULES_OF_AGENT_MAX);
    if rules.is_empty() {
        return Ok(false);
    }
    let ids: Vec<RuleId> = rules.iter().map(|rule| rule.id).collect();
    let states = agent_rules::states(transaction, &ids).await?;
    Ok(judge_with(transaction, reported, (&rules, &states), false).await?.is_some())
}

/// Judges a report by rules that are held, and answers how many fired; `None` when nothing is to be told.
///
/// # Errors
/// When PostgreSQL is not available.
pub(super) async fn judge_with(
    transaction: &Transaction<'_>,
    reported: &Reported<'_>,
    (rules, states): (&[AgentRule], &[State]),
    is_new: bool,
) -> Result<Option<usize>, StoreError> {
    let settings = settings::packs(transaction).await?.statusmonitor;
    if !settings.enabled {
        return Ok(None);
    }
    let cooldown_micros = i64::from(settings.cooldown_seconds) * Micros::PER_SECOND;
    let (mut finding, mut fired) = (Finding::default(), Vec::new());
    for rule in rules {
        let state = states.iter().find(|state| state.rule == rule.id);
        let (server, now) = (reported.server, reported.now);
        let outcome = Look { rule, state, server, now, cooldown_micros, is_new }.judge(reported.report);
        finding.states.extend(outcome.state);
        fired.extend(outcome.fired.map(|fired| (rule.owner, fired)));
    }
    let fired_count = fired.len();
    tell(transaction, fired, &mut finding).await?;
    if !finding.is_empty() {
        record(transaction, &finding, reported.now).await?;
    }
    Ok(Some(fired_count).filter(|fired| *fired > 0))
}

/// All rules about one agent are of its owner.
async fn tell(
    transaction: &Transaction<'_>,
    fired: Vec<(UserId, Fired)>,
    finding: &mut Finding,
) -> Result<(), StoreError> {
    let Some((owner, Fired { event, .. })) = fired.first() else { return Ok(()) };
    let chat = agent_rules::own_telegram(transaction, *owner).await?;
    let servers: Vec<ServerKey> = event.server.iter().map(|(server, _)| *server).collect();
    let quiet = Quiet::of(transaction, &servers, event.at).await?;
    for (_, Fired { event, body }) in fired {
        let place = finding.events.len();
        let chat = chat.filter(|_| !quiet.is_silent(subject(&event), event.server.map(|(server, _)| server)));
        finding.events.push(event);
        finding.notices.extend(chat.map(|chat| NoticeRow { to: Ok(chat), event: Some(place), body: stored(&body) }));
    }
    Ok(())
}

/// What silences are held against.
pub(super) fn subject(event: &Event) -> Subject {
    let rule = if let Source::Rule(rule) = event.source { Some(rule) } else { None };
    Subject { rule, severity: event.severity }
}

/// A notice as it is stored.
pub(super) fn stored(body: &Body) -> Json {
    serde_json::to_value(body).unwrap_or_default()
}

fn rule(row: agent_rules::JudgedRule) -> Option<AgentRule> {
    let agent_rules::JudgedRule { id, owner, agent, agent_name, definition } = row;
    let terms = Terms::of_definition(&definition);
    if terms.is_none() {
        tracing::warn!(rule.id = id.0, "a rule cannot be read and is not judged");
    }
    Some(AgentRule { id, owner, agent, agent_name, terms: terms? })
}

fn texts(active: &Json) -> Vec<String> {
    active.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}

/// The kind that reports of agents are kept as.
pub const AGENT_REPORT: &str = statusmonitor::PACK;

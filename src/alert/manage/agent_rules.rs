//! Rules of people about whole reports of their agents: added, removed, their history thrown away. A new rule judges the
//! latest report at once.

use serde_json::json;

use super::{ManageError, finish};
use crate::alert::packs::statusmonitor::{AgentRule, PACK, Terms};
use crate::alert::reports::{AGENT_REPORT, Reported, Sender, judge_with};
use crate::auth::Caller;
use crate::model::UserId;
use crate::model::alert::RuleId;
use crate::store::alerts::agent_rules::{self, AgentOf, ListedRule, NewAgentRule};
use crate::store::alerts::revise;
use crate::store::{Client, Database, StoreError, Transaction, transactions};
use crate::wire::tree::{Leniency, Tree};

/// Rules about reports that a person can have. Further ones are refused.
pub const RULES_MAX: i64 = 1_000;
/// Entries of the history removed in one transaction.
const CLEARED_MAX: i64 = 10_000;

/// A rule that somebody makes.
#[derive(Clone, Debug)]
pub struct New {
    pub agent: i32,
    pub terms: Terms,
    pub enabled: bool,
}

/// Adds a rule, and answers it and whether it fired at once.
///
/// # Errors
/// When the person has no such agent, or too many rules, or PostgreSQL is not available.
pub async fn add(
    database: &Database,
    caller: Caller<'_>,
    owner: UserId,
    new: New,
) -> Result<(ListedRule, bool), ManageError> {
    let New { agent, terms, enabled } = new;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let known = agent_rules::agent(&transaction, (owner, agent), &caller.principal.reach, AGENT_REPORT).await?;
    let known = known.ok_or(ManageError::NotFound("agent"))?;
    revise(&transaction).await?;
    let definition = terms.definition();
    let (name, created_at) = (terms.in_words(), caller.at);
    let added = NewAgentRule { owner, agent, name: &name, definition: &definition, enabled, created_at };
    let id = agent_rules::add(&transaction, added, RULES_MAX).await?;
    let id = id.ok_or(ManageError::TooMany { what: "rules", max: RULES_MAX })?;
    let rule = AgentRule { id, owner, agent, agent_name: known.name.clone(), terms };
    let has_fired = enabled && judge_latest(&transaction, caller, &known, rule).await?;
    let details = json!({ "agent": agent, "name": name });
    finish(transaction, &caller.did("alert.rule.create", subject(id), details)).await?;
    Ok((ListedRule { id, owner, agent, definition, enabled, created_at }, has_fired))
}

async fn judge_latest(
    transaction: &Transaction<'_>,
    caller: Caller<'_>,
    agent: &AgentOf,
    rule: AgentRule,
) -> Result<bool, StoreError> {
    let Some(report) = &agent.latest_report else { return Ok(false) };
    // It was read when it came.
    let Ok(tree) = Tree::read(report.get().as_bytes(), Leniency::Strict) else { return Ok(false) };
    let sender = Sender::Agent(rule.agent);
    let reported = Reported { server: agent.server, sender, report: tree.root(), now: caller.at };
    Ok(judge_with(transaction, &reported, (&[rule], &[]), true).await?.is_some())
}

/// The rules of a person about agents within reach.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, caller: Caller<'_>, owner: UserId) -> Result<Vec<ListedRule>, StoreError> {
    agent_rules::list(client, owner, &caller.principal.reach, RULES_MAX).await
}

/// # Errors
/// When the person has no such rule, or PostgreSQL is not available.
pub async fn delete(database: &Database, caller: Caller<'_>, owner: UserId, id: RuleId) -> Result<(), ManageError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    revise(&transaction).await?;
    let name = agent_rules::delete(&transaction, owner, id, &caller.principal.reach).await?;
    let name = name.ok_or(ManageError::NotFound("rule"))?;
    finish(transaction, &caller.did("alert.rule.delete", subject(id), json!({ "name": name }))).await
}

/// Throws the history of a person's rules away, a bounded number of entries at a time.
///
/// # Errors
/// When PostgreSQL is not available. What was removed stays removed.
pub async fn clear_history(database: &Database, caller: Caller<'_>, owner: UserId) -> Result<u64, ManageError> {
    let mut client = database.client().await?;
    let mut removed = 0;
    loop {
        let transaction = transactions::begin(&mut client).await?;
        let whose = (owner, &caller.principal.reach);
        let cleared = agent_rules::clear_history(&transaction, whose, PACK, CLEARED_MAX).await?;
        removed += cleared;
        if cleared < CLEARED_MAX as u64 {
            let details = json!({ "entries": removed });
            finish(transaction, &caller.did("alert.history.clear", format!("user {}", owner.0), details)).await?;
            return Ok(removed);
        }
        transactions::commit(transaction).await?;
    }
}

fn subject(id: RuleId) -> String {
    format!("alert rule {}", id.0)
}

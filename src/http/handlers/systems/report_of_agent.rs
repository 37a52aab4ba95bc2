//! `WS /ws` and `WS /ws/{agent_id}`: the reports of a person's agents as they come in, each with whose it is.
//!
//! Whoever shows no good token is refused with a 403 before anything else. Nothing is replayed; an agent that is not the
//! person's never reports anything.

use std::sync::Arc;

use uuid::Uuid;

use super::super::{Answering, Services, stream};
use crate::auth::agents::{self, AgentError};
use crate::auth::{Access, Principal, Who};
use crate::http::{ApiError, Request};
use crate::live::{AgentReport, ReportsOf, Wanted};
use crate::model::UserId;
use crate::store::agent_reports::StoredReport;
use crate::wire::systems::statusmonitor::{Sender, addressed};
use crate::wire::tree::{Leniency, Tree, Value};

pub use super::statusmonitor::KIND;

pub(in crate::http::handlers) fn open(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let owner = request.principal.user_id().ok_or_else(|| ApiError::forbidden("Could not validate credentials"))?;
        let key = stream::handshake(&services, &request)?;
        let query = request.query()?;
        let agent = request.param("agent_id").or_else(|| query.get("agent_id")).filter(|text| !text.is_empty());
        let server_id = match agent {
            Some(text) => Some(server_of(&services, owner, text).await?),
            None => None,
        };
        let opening = stream::Opening {
            wanted: Wanted::Reports(ReportsOf { owner, server_id }),
            access: Access::Person,
            kept: services.reports.listen(owner),
        };
        stream::session(&services, &mut request, key, opening)
    })
}

/// The server of an agent; the one that nobody has when it is no agent of this person.
async fn server_of(services: &Services, owner: UserId, text: &str) -> Result<Uuid, ApiError> {
    let agent_id = text.parse().map_err(|_| ApiError::forbidden("agent_id should be a valid integer"))?;
    let client = services.database.client().await?;
    match agents::get(&client, Some(owner), agent_id).await {
        Ok(agent) => Ok(agent.server),
        Err(AgentError::NotFound) => Ok(Uuid::nil()),
        Err(error) => Err(error.into()),
    }
}

/// Tells those who listen of a report that is committed under this number.
pub(super) fn tell(services: &Services, principal: &Principal, number: i64, report: Value<'_>) {
    if let Who::Agent { id, name, server, owner: Some(owner) } = &principal.who
        && services.reports.are_heard(*owner)
    {
        let text = addressed(report, Sender { agent_id: *id, agent_name: name, user_id: owner.0 }).into();
        services.reports.tell(AgentReport { number, server_id: *server, owner: *owner, text });
    }
}

/// The same report, of one that another node stored; `None` when nobody asked for it.
pub fn stored(report: &StoredReport) -> Option<AgentReport> {
    let StoredReport { id, server_id, agent, agent_name, owner, body } = report;
    let tree = Tree::read(body.as_ref()?.get().as_bytes(), Leniency::Strict).ok()?;
    let text = addressed(tree.root(), Sender { agent_id: *agent, agent_name, user_id: owner.0 });
    Some(AgentReport { number: *id, server_id: *server_id, owner: *owner, text: text.into() })
}

//! `POST /ingest`, which three systems share: the head tells them apart where it can, the body where it cannot.
//!
//! | what came | whose it is |
//! |---|---|
//! | the token of a person's agent, or `X-Agent-Token` | `StatusMonitor`'s |
//! | `X-Agent-Signature` or `X-Agent-Timestamp` | RichardOps' |
//! | a body with a `host` text, `metrics`, `docker_events`, `local_alerts` or `score` | RichardOps' |
//! | another body of a caller that is an endpoint, or that is a snapshot or a fleet agent's report | the fleet's |
//! | anything else | StatusMonitor's, without a token |

use std::sync::Arc;

use super::super::{Answering, Services};
use super::{fleet, report, richardops, statusmonitor};
use crate::auth::signature::{SignatureError, Signed};
use crate::auth::{Principal, Who};
use crate::http::{ApiError, Request};
use crate::wire::json::Kind;
use crate::wire::tree::{Leniency, Tree, Value};

const CHALLENGE: &str = "Bearer";

pub(in crate::http::handlers) fn ingest(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        match request.principal.who {
            Who::Agent { id, server, owner: Some(_), .. } => {
                return statusmonitor::ingest(&services, request, (id, server)).await;
            }
            _ if request.headers.contains_key("x-agent-token") => {
                return Err(ApiError::unauthorized("Invalid agent token", CHALLENGE));
            }
            _ => {}
        }
        let is_signed =
            ["x-agent-signature", "x-agent-timestamp"].iter().any(|name| request.headers.contains_key(*name));
        let (body, permit) = report::body(&services, &mut request, report::BODY_BYTES_MAX).await?;
        if is_signed && services.signatures.has_secret() {
            request.principal = proved(&services, &request, &body)?;
        }
        let tree = Tree::read(&body, Leniency::PrintedNan);
        let root = tree.as_ref().ok().map(Tree::root);
        let endpoint = match request.principal.who {
            Who::Agent { server, .. } => Some(server),
            _ => None,
        };
        let answer = match root {
            _ if is_signed => richardops::ingest(&services, &request, (&body, permit)).await,
            Some(root) if endpoint.is_none() && is_report(root) => {
                richardops::ingest(&services, &request, (&body, permit)).await
            }
            Some(root) if endpoint.is_some() || fleet::is_snapshot(root) => {
                fleet::ingest(&services, &request, (&body, permit), endpoint).await
            }
            None if endpoint.is_some() => Err(ApiError::bad_request("invalid_json", "Invalid JSON")),
            _ => Err(ApiError::unauthorized("Missing agent token", CHALLENGE)),
        };
        report::answered(&services, &request, &body, answer)
    })
}

/// Who knows the secret that this body is signed with.
fn proved(services: &Services, request: &Request, body: &[u8]) -> Result<Arc<Principal>, ApiError> {
    let signature = request.header("x-agent-signature").unwrap_or_default();
    let signed = Signed { signature, timestamp: request.header("x-agent-timestamp") };
    services.signatures.prove(&signed, body).map_err(|error| match error {
        SignatureError::BadSignature => ApiError::unauthorized(error.to_string(), CHALLENGE),
        SignatureError::BadTimestamp | SignatureError::Stale => {
            ApiError::bad_request("bad_signature_time", error.to_string())
        }
        SignatureError::NoSecret => ApiError::internal(error),
    })
}

fn is_report(root: Value<'_>) -> bool {
    let has = |name: &str, kind: Kind| root.get(name).is_some_and(|value| value.kind() == kind);
    has("host", Kind::String)
        || has("metrics", Kind::Object)
        || ["docker_events", "local_alerts", "score"].iter().any(|name| root.get(name).is_some())
}

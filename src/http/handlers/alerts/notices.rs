//! `GET /api/v1/alerts/notices`: what people were told, what they are still to be told, and what did not arrive.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::{Answering, Services};
use super::asked;
use crate::alert::manage::recipients::seen_by;
use crate::http::{Request, response};
use crate::model::Micros;
use crate::store::alerts::notices::{NoticeLine, NoticeQuery, list as stored};

const STATES: [&str; 3] = ["waiting", "delivered", "failed"];

pub(in super::super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let limit = asked::limit(&query)?;
        let number = |name: &'static str| {
            let number = asked::get(&query, name).map(str::parse::<i64>).transpose();
            number.map_err(|_| asked::bad(name, "a number"))
        };
        let state = asked::get(&query, "state");
        if state.is_some_and(|state| !STATES.contains(&state)) {
            return Err(asked::bad("state", "waiting, delivered or failed"));
        }
        let asked = NoticeQuery {
            seen: seen_by(&request.principal),
            recipient: number("recipient")?,
            state: state.map(str::to_owned),
            before: number("before")?.unwrap_or(i64::MAX),
            notices_max: limit + 1,
        };
        let mut found = stored(&services.database.client().await?, &asked).await?;
        let has_more = asked::has_more(&mut found, limit);
        let next = found.last().filter(|_| has_more).map(|notice| notice.id);
        let notices: Vec<Value> = found.iter().map(shown).collect();
        response::json(StatusCode::OK, &json!({ "notices": notices, "next": next }))
    })
}

fn shown(notice: &NoticeLine) -> Value {
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    let next_try = Some(notice.due_at).filter(|_| notice.state == "waiting");
    json!({
        "id": notice.id,
        "recipient": notice.recipient,
        "recipient_name": notice.recipient_name,
        "kind": notice.kind,
        "owner": notice.owner.map(|owner| owner.0),
        "event": notice.event,
        "body": notice.body,
        "state": notice.state,
        "attempts": notice.attempts,
        "created_at": notice.created_at.to_string(),
        "next_try": time(next_try),
        "finished_at": time(notice.finished_at),
        "last_error": notice.last_error,
    })
}

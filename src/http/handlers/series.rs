//! `GET /api/v1/series`: which series there are.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Answering, Services};
use crate::http::{ApiError, Request, response};
use crate::model::{Series, SeriesId};
use crate::query::request::series_filter;
use crate::store::series;

const LIMIT_DEFAULT: u32 = 1_000;
const LIMIT_MAX: u32 = 10_000;

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let filter = series_filter(query.pairs(), &request.principal.reach)?;
        let limit = number(query.get("limit"), "limit", LIMIT_DEFAULT, 1..=LIMIT_MAX)?;
        let after = SeriesId(number(query.get("cursor"), "cursor", 0, 0..=u32::MAX)?);
        let mut found = series::find(&services.database.client().await?, &filter, after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let mut answer = json!({ "series": found.iter().map(shown).collect::<Vec<_>>(), "count": found.len() });
        if let Some(last) = found.last().filter(|_| more) {
            answer["next_cursor"] = last.id.0.to_string().into();
        }
        response::json(StatusCode::OK, &answer)
    })
}

fn number(
    text: Option<&str>,
    name: &str,
    default: u32,
    allowed: std::ops::RangeInclusive<u32>,
) -> Result<u32, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(default) };
    let bad = || {
        let message = format!("{name} is not a number from {} to {}", allowed.start(), allowed.end());
        ApiError::bad_request("bad_parameter", message)
    };
    text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(bad)
}

fn shown(series: &Series) -> Value {
    let labels: serde_json::Map<String, Value> =
        series.identity.labels().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "id": series.id.0,
        "server_id": series.server_id,
        "metric_type": series.identity.metric_type(),
        "metric_name": series.identity.metric_name(),
        "labels": labels,
    })
}

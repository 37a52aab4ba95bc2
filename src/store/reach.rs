//! How a reach is told to PostgreSQL, and what it judges servers by is read. Statements hand the first to the function
//! `within_reach`; no other place says what a reach comes to in SQL.

use serde_json::{Map, Value, json};
use tokio_postgres::Row;

use super::StoreError;
use crate::model::{Belonging, Labels, Reach, UserId, Whose};

/// The parameter of `within_reach`; null is everything.
pub(super) fn parameter(reach: &Reach) -> Option<Value> {
    if reach.is_everything() {
        return None;
    }
    let mut told = match reach.whose {
        Whose::Everyones => json!({ "fleet": true, "everyone": true }),
        Whose::Some { fleet, owner } => json!({ "fleet": fleet, "owner": owner.map(|owner| owner.0) }),
    };
    if let Some(servers) = &reach.servers {
        told["servers"] = servers.iter().map(|id| Value::from(id.to_string())).collect();
    }
    if !reach.labels.is_empty() {
        told["labels"] = reach.labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    }
    Some(told)
}

/// What a server is judged by, of a row with its `owner` and `labels`.
pub(super) fn belonging(row: &Row) -> Result<Belonging, StoreError> {
    let labels: Option<Value> = row.try_get("labels")?;
    let owner = row.try_get::<_, Option<i64>>("owner")?.map(UserId);
    Ok(Belonging { owner, labels: labels_of(labels.as_ref().and_then(Value::as_object)) })
}

/// Labels that were not written by this program may be anything: what is no text is none.
fn labels_of(object: Option<&Map<String, Value>>) -> Labels {
    let pairs = object.into_iter().flatten();
    let texts = pairs.filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())));
    Labels::new(texts.collect()).unwrap_or_default()
}

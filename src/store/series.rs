//! What samples belong to.

use deadpool_postgres::{Client, GenericClient, Transaction};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use super::StoreError;
use super::reach::parameter;
use crate::model::{Identity, Labels, Reach, Series, SeriesId, ServerKey};

/// Which series to read; what is `None` does not filter. For whom is always said.
#[derive(Clone, Debug)]
pub struct SeriesFilter {
    /// Series of other servers do not exist for who asks.
    pub reach: Reach,
    pub server_ids: Option<Vec<Uuid>>,
    pub metric_types: Option<Vec<String>>,
    pub metric_names: Option<Vec<String>>,
    /// Labels a series must have, with these values.
    pub labels: Vec<(String, String)>,
}

impl SeriesFilter {
    /// All that can be reached.
    pub fn all(reach: Reach) -> Self {
        Self { reach, server_ids: None, metric_types: None, metric_names: None, labels: Vec::new() }
    }

    /// Whether every series passes.
    pub fn is_open(&self) -> bool {
        self.reach.is_everything() && self.is_unconditional()
    }

    /// Whether every series within reach passes.
    pub fn is_unconditional(&self) -> bool {
        self.server_ids.is_none()
            && self.metric_types.is_none()
            && self.metric_names.is_none()
            && self.labels.is_empty()
    }
}

/// What retention goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesName {
    pub id: SeriesId,
    pub metric_type: String,
    pub metric_name: String,
    pub hostname: String,
}

/// A series by what it is, not by its number.
pub type Wanted = (ServerKey, Identity);

/// The numbers of those of `wanted` that exist, in the order of `wanted`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn ids(client: &Client, wanted: &[Wanted]) -> Result<Vec<Option<SeriesId>>, StoreError> {
    let servers: Vec<i32> = wanted.iter().map(|(server, _)| server.0).collect();
    let digests: Vec<Vec<u8>> = wanted.iter().map(|(_, identity)| digest(identity)).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_ids.sql")).await?;
    let mut found = vec![None; wanted.len()];
    for row in client.query(&statement, &[&servers, &digests]).await? {
        let place: i32 = row.try_get("place")?;
        if let Some(slot) = found.get_mut(place as usize - 1) {
            *slot = Some(series_id(&row)?);
        }
    }
    Ok(found)
}

/// Adds those of `wanted` that are not there, in one statement, and answers the numbers of all. `None` means that the
/// server is gone.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(client: &Client, wanted: &[Wanted]) -> Result<Vec<Option<SeriesId>>, StoreError> {
    let servers: Vec<i32> = wanted.iter().map(|(server, _)| server.0).collect();
    let types: Vec<&str> = wanted.iter().map(|(_, identity)| identity.metric_type()).collect();
    let names: Vec<&str> = wanted.iter().map(|(_, identity)| identity.metric_name()).collect();
    let labels: Vec<Value> = wanted.iter().map(|(_, identity)| labels_value(identity.labels())).collect();
    let digests: Vec<Vec<u8>> = wanted.iter().map(|(_, identity)| digest(identity)).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_create.sql")).await?;
    client.execute(&statement, &[&servers, &types, &names, &labels, &digests]).await?;
    // A second statement sees what others committed while the first one waited for them.
    ids(client, wanted).await
}

/// How many series each of `servers` has, in their order.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn counts(client: &Client, servers: &[ServerKey]) -> Result<Vec<u64>, StoreError> {
    let keys: Vec<i32> = servers.iter().map(|server| server.0).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_counts.sql")).await?;
    let rows = client.query(&statement, &[&keys]).await?;
    rows.iter().map(|row| Ok(row.try_get::<_, i64>("series")?.unsigned_abs())).collect()
}

/// How many series there are.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn count(client: &Client) -> Result<u64, StoreError> {
    let row = client.query_one(include_str!("../../sql/queries/series_count.sql"), &[]).await?;
    Ok(row.try_get::<_, i64>("series")?.unsigned_abs())
}

/// At most `series_max` series that pass `filter`, those after `after`, by id.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn find(
    client: &Client,
    filter: &SeriesFilter,
    after: SeriesId,
    series_max: u32,
) -> Result<Vec<Series>, StoreError> {
    let labels = labels_wanted(filter);
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_find.sql")).await?;
    let rows = client
        .query(
            &statement,
            &[
                &filter.server_ids,
                &filter.metric_types,
                &filter.metric_names,
                &labels,
                &(after.0.min(i32::MAX as u32) as i32),
                &i64::from(series_max),
                &parameter(&filter.reach),
            ],
        )
        .await?;
    rows.iter().map(series).collect()
}

/// The numbers of at most `series_max` series that pass `filter`, in no order. Cheaper than [`find`] by far: names are
/// long and mostly known already.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn find_ids(client: &Client, filter: &SeriesFilter, series_max: u32) -> Result<Vec<SeriesId>, StoreError> {
    let labels = labels_wanted(filter);
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_find_ids.sql")).await?;
    let (series_max, reach) = (i64::from(series_max), parameter(&filter.reach));
    let SeriesFilter { server_ids, metric_types, metric_names, .. } = filter;
    let rows =
        client.query(&statement, &[server_ids, metric_types, metric_names, &labels, &series_max, &reach]).await?;
    rows.iter().map(series_id).collect()
}

/// Those of `ids` that exist.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn by_id(client: &Client, ids: &[SeriesId]) -> Result<Vec<Series>, StoreError> {
    let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(id.0).ok()).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_by_id.sql")).await?;
    client.query(&statement, &[&ids]).await?.iter().map(series).collect()
}

/// Those of `ids` that exist.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn existing(client: &Client, ids: &[SeriesId]) -> Result<Vec<SeriesId>, StoreError> {
    let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(id.0).ok()).collect();
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_existing.sql")).await?;
    client.query(&statement, &[&ids]).await?.iter().map(series_id).collect()
}

/// Removes series and tells every process that something left the catalog. Answers how many there were.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(transaction: &Transaction<'_>, ids: &[SeriesId]) -> Result<u64, StoreError> {
    let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(id.0).ok()).collect();
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/series_delete.sql")).await?;
    let deleted = transaction.execute(&statement, &[&ids]).await?;
    revise(transaction).await?;
    Ok(deleted)
}

/// Tells every process that something they may keep in memory was removed.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revise(client: &impl GenericClient) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/catalog_revise.sql")).await?;
    client.execute(&statement, &[]).await?;
    Ok(())
}

/// The first `series_max` series of a server.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_server(client: &Client, server: ServerKey, series_max: u32) -> Result<Vec<Series>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_of_server.sql")).await?;
    client.query(&statement, &[&server.0, &i64::from(series_max)]).await?.iter().map(series).collect()
}

/// At most `series_max` series, those after `after`, by id.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn names(client: &Client, after: SeriesId, series_max: usize) -> Result<Vec<SeriesName>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/series_names.sql")).await?;
    let (after, series_max) = (after.0.min(i32::MAX as u32) as i32, i64::try_from(series_max).unwrap_or(i64::MAX));
    let name = |row: &Row| -> Result<SeriesName, StoreError> {
        Ok(SeriesName {
            id: series_id(row)?,
            metric_type: row.try_get("metric_type")?,
            metric_name: row.try_get("metric_name")?,
            hostname: row.try_get("hostname")?,
        })
    };
    client.query(&statement, &[&after, &series_max]).await?.iter().map(name).collect()
}

fn series(row: &Row) -> Result<Series, StoreError> {
    let (metric_type, metric_name): (&str, &str) = (row.try_get("metric_type")?, row.try_get("metric_name")?);
    let unreadable = |what: &dyn std::fmt::Display| StoreError::Unreadable(format!("series {metric_name}: {what}"));
    let Value::Object(stored) = row.try_get("labels")? else {
        return Err(unreadable(&"labels are no object"));
    };
    let mut pairs = Vec::with_capacity(stored.len());
    for (name, value) in stored {
        let Value::String(value) = value else {
            return Err(unreadable(&"a label is no string"));
        };
        pairs.push((name.into_boxed_str(), value.into_boxed_str()));
    }
    let labels = Labels::new(pairs).map_err(|error| unreadable(&error))?;
    Ok(Series {
        id: series_id(row)?,
        server: ServerKey(row.try_get("server")?),
        server_id: row.try_get("server_id")?,
        identity: Identity::new(metric_type, metric_name, labels).map_err(|error| unreadable(&error))?,
    })
}

fn series_id(row: &Row) -> Result<SeriesId, StoreError> {
    let id: i32 = row.try_get("id")?;
    u32::try_from(id).map(SeriesId).map_err(|_| StoreError::Unreadable(format!("series id {id}")))
}

fn labels_wanted(filter: &SeriesFilter) -> Option<Value> {
    (!filter.labels.is_empty())
        .then(|| filter.labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect())
}

fn labels_value(labels: &Labels) -> Value {
    labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// The bytes of a hash that are kept: no two identities share them by chance.
const DIGEST_BYTES: usize = 16;

/// What two series of one server never share. Lengths go in before texts, so no two identities hash the same bytes.
fn digest(identity: &Identity) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut text = |text: &str| {
        hash.update((text.len() as u32).to_le_bytes());
        hash.update(text);
    };
    text(identity.metric_type());
    text(identity.metric_name());
    for (name, value) in identity.labels().iter() {
        text(name);
        text(value);
    }
    hash.finalize()[..DIGEST_BYTES].to_vec()
}

//! Who changed what, for good: written in the transaction of the change.

use std::net::IpAddr;

use deadpool_postgres::GenericClient;
use serde_json::Value;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

/// What was done.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Micros,
    pub actor: String,
    pub user_id: Option<UserId>,
    pub action: &'static str,
    pub subject: String,
    /// Never a secret.
    pub details: Value,
    pub address: Option<IpAddr>,
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn add(client: &impl GenericClient, entry: &Entry) -> Result<(), StoreError> {
    let Entry { at, actor, user_id, action, subject, details, address } = entry;
    let statement = client.prepare_cached(include_str!("../../sql/queries/audit_add.sql")).await?;
    let user_id = user_id.map(|user| user.0);
    client.execute(&statement, &[&Timestamp(*at), actor, &user_id, action, subject, details, address]).await?;
    Ok(())
}

//! How much was found.

use deadpool_postgres::Client;

use crate::model::Reach;
use crate::store::StoreError;
use crate::store::reach::parameter;

/// Nobody needs to know more exactly how many more there are.
const TOTAL_MAX: i64 = 1_000_000;

/// How often a pack found that something began or ended, as far as the reach goes.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn total_of_pack(client: &Client, pack: &str, reach: &Reach) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_pack_total.sql")).await?;
    Ok(client.query_one(&statement, &[&pack, &parameter(reach), &TOTAL_MAX]).await?.try_get("total")?)
}

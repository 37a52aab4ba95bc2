//! Hosts of the fleet as their latest snapshots show them, for those who look after all of them.

use deadpool_postgres::Client;
use tokio_postgres::Row;
use uuid::Uuid;

use super::reach::parameter;
use super::text::within;
use super::{StoreError, Timestamp};
use crate::model::{Micros, Reach};

/// A host, with what its latest snapshot says first of all.
#[derive(Clone, Debug)]
pub struct Host {
    /// What people know it by; `None` where an agent of somebody has its number.
    pub number: Option<i32>,
    pub server_id: Uuid,
    pub hostname: String,
    pub machine_id: String,
    pub interval_seconds: Option<i32>,
    pub last_seen: Option<Micros>,
    pub taken_at: Option<Micros>,
    pub cpu_percent: Option<f64>,
    pub memory_percent: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Volume {
    pub server_id: Uuid,
    pub hostname: String,
    pub mount: String,
    pub free_percent: f64,
    pub free_bytes: Option<f64>,
    pub total_bytes: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct LoggedIn {
    pub username: String,
    pub server_id: Uuid,
    pub hostname: String,
}

/// Which hosts are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What is somewhere in the host name or the machine id.
    pub text: Option<&'a str>,
    /// The number or the id of one.
    pub one: Option<&'a str>,
    pub hosts_max: i64,
}

/// Hosts by their names. `kind` is that of a snapshot.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hosts(client: &Client, kind: &str, wanted: Wanted<'_>, reach: &Reach) -> Result<Vec<Host>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/fleet_hosts.sql")).await?;
    let pattern = wanted.text.map(within);
    let rows = client.query(&statement, &[&pattern, &kind, &parameter(reach), &wanted.one, &wanted.hosts_max]).await?;
    rows.iter().map(host).collect()
}

/// Volumes with less free than this, the fullest first.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn low_disks(
    client: &Client,
    kind: &str,
    free_percent: f64,
    volumes_max: i64,
    reach: &Reach,
) -> Result<Vec<Volume>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/fleet_low_disks.sql")).await?;
    let rows = client.query(&statement, &[&free_percent, &kind, &parameter(reach), &volumes_max]).await?;
    let volume = |row: &Row| {
        Ok(Volume {
            server_id: row.try_get("id")?,
            hostname: row.try_get("hostname")?,
            mount: row.try_get("mount")?,
            free_percent: row.try_get("free_pct")?,
            free_bytes: row.try_get("free_bytes")?,
            total_bytes: row.try_get("total_bytes")?,
        })
    };
    rows.iter().map(volume).collect()
}

/// Who is logged in, of those with this somewhere in their names.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn logged_in(
    client: &Client,
    kind: &str,
    text: &str,
    people_max: i64,
    reach: &Reach,
) -> Result<Vec<LoggedIn>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/fleet_users.sql")).await?;
    let rows = client.query(&statement, &[&within(text), &kind, &parameter(reach), &people_max]).await?;
    let person = |row: &Row| {
        Ok(LoggedIn {
            username: row.try_get("username")?,
            server_id: row.try_get("id")?,
            hostname: row.try_get("hostname")?,
        })
    };
    rows.iter().map(person).collect()
}

fn host(row: &Row) -> Result<Host, StoreError> {
    let time = |column: &str| row.try_get::<_, Option<Timestamp>>(column).map(|time| time.map(|time| time.0));
    Ok(Host {
        number: row.try_get("number")?,
        server_id: row.try_get("id")?,
        hostname: row.try_get("hostname")?,
        machine_id: row.try_get("machine_id")?,
        interval_seconds: row.try_get("interval_seconds")?,
        last_seen: time("last_seen")?,
        taken_at: time("taken_at")?,
        cpu_percent: row.try_get("cpu")?,
        memory_percent: row.try_get("memory")?,
    })
}

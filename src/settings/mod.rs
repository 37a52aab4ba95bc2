//! What administrators set while the server runs: groups of values, each with defaults, rules and a version.
//!
//! Only what differs from the defaults is stored, so a default that changes with the program changes for everybody who
//! left it alone. Whoever changes a group says which version they saw; a change in between refuses theirs.

pub mod alerts; // when and how alerts are sent
pub mod packs; // what the alerts of two systems fire at

mod merge; // values over defaults, and back

use serde_json::{Value, json};

use crate::auth::Actor;
use crate::model::Micros;
use crate::store::settings as stored;
use crate::store::{Database, GenericClient, StoreError, audit, transactions, users};

pub use alerts::Alerts;
pub use packs::Packs;

/// Every group, in the order in which they are shown.
pub const GROUPS: [Group; 2] = [Group::Alerts, Group::Packs];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Alerts,
    Packs,
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Says what is wrong, not with which secret.
    #[error("{0}")]
    Invalid(String),
    #[error("the settings were changed meanwhile; they are at version {version} now")]
    Changed { version: i64 },
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A group as it is in force.
#[derive(Clone, PartialEq)]
pub struct Current {
    pub group: Group,
    pub value: Value,
    /// 0 until it is changed for the first time.
    pub version: i64,
    pub updated_at: Option<Micros>,
}

/// Addresses of webhooks are secrets.
impl std::fmt::Debug for Current {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Current").field("group", &self.group).field("version", &self.version).finish_non_exhaustive()
    }
}

impl Group {
    pub fn parse(name: &str) -> Option<Self> {
        GROUPS.into_iter().find(|group| group.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Packs => "alert_packs",
        }
    }

    fn defaults(self) -> Value {
        match self {
            Self::Alerts => serde_json::to_value(Alerts::default()).unwrap_or_default(),
            Self::Packs => serde_json::to_value(Packs::default()).unwrap_or_default(),
        }
    }

    /// `given` over the defaults, when all of it is allowed.
    fn checked(self, given: &Value) -> Result<Value, SettingsError> {
        if !given.is_object() {
            return Err(SettingsError::Invalid(format!("{} is no object", self.name())));
        }
        let whole = merge::over(self.defaults(), given);
        match self {
            Self::Alerts => alerts::checked(whole).map_err(SettingsError::Invalid),
            Self::Packs => packs::checked(whole).map_err(SettingsError::Invalid),
        }
    }
}

/// The group as it is in force.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn read(database: &Database, group: Group) -> Result<Current, SettingsError> {
    Ok(read_with(&database.client().await?, group).await?)
}

/// The alerts as they are in force. What cannot be read, as a newer version may have stored it, is as by default.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn alerts(client: &impl GenericClient) -> Result<Alerts, StoreError> {
    Ok(serde_json::from_value(read_with(client, Group::Alerts).await?.value).unwrap_or_default())
}

/// The same for packs.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn packs(client: &impl GenericClient) -> Result<Packs, StoreError> {
    Ok(serde_json::from_value(read_with(client, Group::Packs).await?.value).unwrap_or_default())
}

async fn read_with(client: &impl GenericClient, group: Group) -> Result<Current, StoreError> {
    let setting = stored::get(client, group.name()).await?;
    let value = merge::over(group.defaults(), setting.as_ref().map_or(&Value::Null, |setting| &setting.value));
    let (version, updated_at) = setting.map_or((0, None), |setting| (setting.version, Some(setting.updated_at)));
    Ok(Current { group, value, version, updated_at })
}

/// Puts `given` over the defaults. `seen` is the version it was made for; without one it is not compared.
///
/// # Errors
/// When something is not allowed, another change was first, or PostgreSQL is not available.
pub async fn write(
    database: &Database,
    (group, given): (Group, &Value),
    seen: Option<i64>,
    by: &Actor,
    now: Micros,
) -> Result<Current, SettingsError> {
    let value = group.checked(given)?;
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    // Two first changes have no row to hold.
    users::take_turn(&transaction).await?;
    let before = stored::hold(&transaction, group.name()).await?;
    let version = before.as_ref().map_or(0, |setting| setting.version);
    if seen.is_some_and(|seen| seen != version) {
        return Err(SettingsError::Changed { version });
    }
    let before = merge::over(group.defaults(), before.as_ref().map_or(&Value::Null, |setting| &setting.value));
    let different = merge::difference(&value, &group.defaults());
    let version = stored::put(&transaction, group.name(), &different, (now, by.user)).await?;
    // The names of what changed only: values may be secret.
    let changed = merge::paths(&merge::difference(&value, &before));
    audit::add(&transaction, &by.did("settings.change", group.name(), json!({ "changed": changed }), now)).await?;
    transactions::commit(transaction).await?;
    Ok(Current { group, value, version, updated_at: Some(now) })
}

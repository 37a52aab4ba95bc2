//! People who can sign in. Which role may do what is not known here: a role is a word.

use deadpool_postgres::{Client, GenericClient, Transaction};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{StoreError, Timestamp};
use crate::model::{Micros, UserId};

#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: Option<String>,
    pub email: Option<String>,
    pub password_hash: String,
    pub role: Option<String>,
    pub is_active: bool,
    pub created_at: Micros,
    pub updated_at: Micros,
    pub last_login: Option<Micros>,
}

/// Who is to be added.
pub struct NewUser<'a> {
    pub username: Option<&'a str>,
    /// In lower case.
    pub email: Option<&'a str>,
    pub password_hash: &'a str,
    pub role: Option<&'a str>,
}

impl User {
    /// What the person is called: the user name, or the e-mail address of who has none.
    pub fn name(&self) -> &str {
        self.username.as_deref().or(self.email.as_deref()).unwrap_or_default()
    }
}

/// What a password became is nobody's business either.
impl std::fmt::Debug for User {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("User");
        shown.field("id", &self.id).field("role", &self.role).field("is_active", &self.is_active);
        shown.finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewUser<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NewUser").field("role", &self.role).finish_non_exhaustive()
    }
}

/// The person who signs in with that user name, or with that e-mail address, which is in lower case.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn by_login(client: &impl GenericClient, username: &str, email: &str) -> Result<Option<User>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/user_by_login.sql")).await?;
    client.query_opt(&statement, &[&username, &email]).await?.as_ref().map(user).transpose()
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn by_id(client: &impl GenericClient, id: UserId) -> Result<Option<User>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/user_by_id.sql")).await?;
    client.query_opt(&statement, &[&id.0]).await?.as_ref().map(user).transpose()
}

/// The same, and nobody else changes the person until the end of the transaction.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hold(transaction: &Transaction<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_hold.sql")).await?;
    transaction.query_opt(&statement, &[&id.0]).await?.as_ref().map(user).transpose()
}

/// Who an access token speaks for: somebody of that name who is active; of that number, and with something left of
/// the signing in that it came from, where the token says so.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn of_token(
    client: &Client,
    (username, email): (&str, &str),
    id: Option<i64>,
    family: Option<Uuid>,
) -> Result<Option<User>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/user_of_token.sql")).await?;
    client.query_opt(&statement, &[&username, &email, &id, &family]).await?.as_ref().map(user).transpose()
}

/// Those whose numbers come after `after`, in their order.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, after: i64, users_max: i64) -> Result<Vec<User>, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/user_list.sql")).await?;
    client.query(&statement, &[&after, &users_max]).await?.iter().map(user).collect()
}

/// Adds a person, unless one of the names is taken.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn add(transaction: &Transaction<'_>, new: &NewUser<'_>, now: Micros) -> Result<Option<User>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_add.sql")).await?;
    let row = transaction
        .query_opt(&statement, &[&new.username, &new.email, &new.password_hash, &new.role, &Timestamp(now)])
        .await?;
    row.as_ref().map(user).transpose()
}

/// Writes down password, role and state as they are in `changed`.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn change(transaction: &Transaction<'_>, changed: &User, now: Micros) -> Result<User, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_change.sql")).await?;
    let (id, hash, role) = (changed.id.0, &changed.password_hash, &changed.role);
    user(&transaction.query_one(&statement, &[&id, hash, role, &changed.is_active, &Timestamp(now)]).await?)
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(transaction: &Transaction<'_>, id: UserId) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_delete.sql")).await?;
    transaction.execute(&statement, &[&id.0]).await?;
    Ok(())
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn signed_in(transaction: &Transaction<'_>, id: UserId, now: Micros) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_signed_in.sql")).await?;
    transaction.execute(&statement, &[&id.0, &Timestamp(now)]).await?;
    Ok(())
}

/// # Errors
/// When PostgreSQL is not available.
pub async fn count(transaction: &Transaction<'_>) -> Result<i64, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_count.sql")).await?;
    Ok(transaction.query_one(&statement, &[]).await?.try_get(0)?)
}

/// The administrators who can sign in. They stay so until the end of the transaction.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn hold_admins(transaction: &Transaction<'_>) -> Result<Vec<UserId>, StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/user_admins.sql")).await?;
    let rows = transaction.query(&statement, &[]).await?;
    rows.iter().map(|row| Ok(UserId(row.try_get("id")?))).collect()
}

/// Whether there is an administrator, able to sign in or not.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn has_admin(client: &impl GenericClient) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../sql/queries/user_has_admin.sql")).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get("has_admin")?)
}

/// Until the end of the transaction nobody else decides who is the first administrator, or changes a setting.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn take_turn(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../sql/queries/people_lock.sql")).await?;
    transaction.query_one(&statement, &[]).await?;
    Ok(())
}

pub(super) fn user(row: &Row) -> Result<User, StoreError> {
    let time = |name| row.try_get::<_, Timestamp>(name).map(|time| time.0);
    Ok(User {
        id: UserId(row.try_get("id")?),
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        password_hash: row.try_get("password_hash")?,
        role: row.try_get("role")?,
        is_active: row.try_get("is_active")?,
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        last_login: row.try_get::<_, Option<Timestamp>>("last_login")?.map(|time| time.0),
    })
}

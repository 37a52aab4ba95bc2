//! What administrators change about people, and people about themselves. Whoever loses a password or their place is
//! signed out everywhere in the same transaction. One administrator is always left.

use serde_json::json;

use super::names::check_password;
use super::{Actor, People, PeopleError, subject};
use crate::auth::keys::random_text;
use crate::auth::principal::Role;
use crate::model::UserId;
use crate::store::sessions::Session;
use crate::store::users::User;
use crate::store::{Transaction, audit, refresh_tokens, sessions, transactions, users};

/// Sessions of one person that are listed; more are never kept.
const LISTED_MAX: i64 = 100;

/// Somebody who was added or got a new password, which is told once.
pub struct Created {
    pub user: User,
    /// What was made up.
    pub password: Option<String>,
}

/// What is to be another. `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct Change {
    pub role: Option<Option<Role>>,
    pub is_active: Option<bool>,
    pub password: NewPassword,
}

#[derive(Clone, Default)]
pub enum NewPassword {
    #[default]
    AsItIs,
    MadeUp,
    Given(String),
}

impl std::fmt::Debug for Created {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Created").field("user", &self.user).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("Change");
        shown.field("role", &self.role).field("is_active", &self.is_active).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("NewPassword([redacted])")
    }
}

impl People {
    /// # Errors
    /// When there is no such person, the last administrator would go, or PostgreSQL is not available.
    pub async fn change(&self, id: UserId, change: Change, by: &Actor) -> Result<Created, PeopleError> {
        let made_up = match &change.password {
            NewPassword::MadeUp => Some(random_text()?),
            NewPassword::Given(password) => check_password(password).map(|()| None)?,
            NewPassword::AsItIs => None,
        };
        let hash = match (&made_up, &change.password) {
            (Some(password), _) | (None, NewPassword::Given(password)) => Some(self.passwords.hash(password).await?),
            (None, _) => None,
        };
        let now = self.clock.now();
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let admins = users::hold_admins(&transaction).await?;
        let mut user = users::hold(&transaction, id).await?.ok_or(PeopleError::NoSuchUser)?;
        let has_new_password = hash.is_some();
        user.role = change.role.map_or(user.role, |role| role.map(|role| role.name().to_owned()));
        user.is_active = change.is_active.unwrap_or(user.is_active);
        user.password_hash = hash.unwrap_or(user.password_hash);
        let stays_admin = user.is_active && user.role.as_deref() == Some(Role::Admin.name());
        if admins == [id] && !stays_admin {
            return Err(PeopleError::LastAdmin);
        }
        let user = users::change(&transaction, &user, now).await?;
        if has_new_password || !user.is_active {
            self.sign_out_everywhere(&transaction, id, None).await?;
        }
        let role = change.role.map(|role| role.map(Role::name));
        let details = json!({ "role": role, "is_active": change.is_active, "password": has_new_password });
        audit::add(&transaction, &by.did("user.change", subject(&user), details, now)).await?;
        transactions::commit(transaction).await?;
        Ok(Created { user, password: made_up })
    }

    /// Gives oneself another password. Other sessions end, the one with that hash stays.
    ///
    /// # Errors
    /// When the old one is wrong, the new one cannot be one, or PostgreSQL is not available.
    pub async fn change_own_password(
        &self,
        id: UserId,
        (old, new): (&str, &str),
        session: Option<&[u8]>,
        by: &Actor,
    ) -> Result<(), PeopleError> {
        check_password(new)?;
        let known = users::by_id(&self.database.client().await?, id).await?.ok_or(PeopleError::NoSuchUser)?;
        let address = by.address.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into());
        let known = self.recognize(known.name(), old, address).await?;
        let hash = self.passwords.hash(new).await?;
        let now = self.clock.now();
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let user = users::hold(&transaction, id).await?.filter(|user| user.password_hash == known.password_hash);
        let user = User { password_hash: hash, ..user.ok_or(PeopleError::WrongCredentials)? };
        let user = users::change(&transaction, &user, now).await?;
        self.sign_out_everywhere(&transaction, id, session).await?;
        audit::add(&transaction, &by.did("user.password", subject(&user), json!({}), now)).await?;
        Ok(transactions::commit(transaction).await?)
    }

    /// # Errors
    /// When there is no such person, the last administrator would go, or PostgreSQL is not available.
    pub async fn delete(&self, id: UserId, by: &Actor) -> Result<(), PeopleError> {
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let admins = users::hold_admins(&transaction).await?;
        let user = users::hold(&transaction, id).await?.ok_or(PeopleError::NoSuchUser)?;
        if admins == [id] {
            return Err(PeopleError::LastAdmin);
        }
        users::delete(&transaction, id).await?;
        audit::add(&transaction, &by.did("user.delete", subject(&user), json!({}), self.clock.now())).await?;
        Ok(transactions::commit(transaction).await?)
    }

    /// # Errors
    /// When there is no such person, or PostgreSQL is not available.
    pub async fn sessions(&self, of: UserId) -> Result<Vec<Session>, PeopleError> {
        let client = self.database.client().await?;
        users::by_id(&client, of).await?.ok_or(PeopleError::NoSuchUser)?;
        Ok(sessions::list(&client, of, self.clock.now(), LISTED_MAX).await?)
    }

    /// Ends one session of a person, or with `None` all that they have, tokens of programs included.
    ///
    /// # Errors
    /// When there is no such person or session, or PostgreSQL is not available.
    pub async fn end_sessions(&self, of: UserId, id: Option<i64>, by: &Actor) -> Result<(), PeopleError> {
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let user = users::hold(&transaction, of).await?.ok_or(PeopleError::NoSuchUser)?;
        match id {
            Some(id) if !sessions::revoke(&transaction, of, id).await? => return Err(PeopleError::NoSuchSession),
            Some(_) => {}
            None => self.sign_out_everywhere(&transaction, of, None).await?,
        }
        let details = json!({ "session": id });
        audit::add(&transaction, &by.did("session.revoke", subject(&user), details, self.clock.now())).await?;
        Ok(transactions::commit(transaction).await?)
    }

    async fn sign_out_everywhere(
        &self,
        transaction: &Transaction<'_>,
        id: UserId,
        except: Option<&[u8]>,
    ) -> Result<(), PeopleError> {
        sessions::revoke_all(transaction, id, except).await?;
        refresh_tokens::revoke_all(transaction, id, self.clock.now()).await?;
        Ok(())
    }
}

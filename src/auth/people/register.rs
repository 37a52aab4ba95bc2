//! New people: by themselves, with an invitation, or added by an administrator.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::change::Created;
use super::names::{Names, check_password};
use super::{Actor, People, PeopleError, subject};
use crate::auth::invites;
use crate::auth::keys::random_text;
use crate::auth::passwords::PASSWORD_BYTES_MAX;
use crate::auth::principal::Role;
use crate::store::users::{NewUser, User};
use crate::store::{Transaction, audit, transactions, users};

/// With so many there nobody registers any more; administrators still add people. A few more may slip in at one moment.
const USERS_MAX: i64 = 100_000;

/// Who wants to be known.
#[derive(Clone, Copy)]
pub struct Registering<'a> {
    pub username: Option<&'a str>,
    pub email: Option<&'a str>,
    pub password: &'a str,
    /// The code of an invitation.
    pub invite: Option<&'a str>,
}

impl std::fmt::Debug for Registering<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Registering([redacted])")
    }
}

impl People {
    /// Adds somebody who came by themselves. Without an invitation they have no role.
    ///
    /// # Errors
    /// When a name is taken, the invitation is not good or there has to be one, or PostgreSQL is not available.
    pub async fn register(&self, new: Registering<'_>, address: IpAddr) -> Result<User, PeopleError> {
        let names = Names::new(new.username, new.email)?;
        // As the system whose path this is has it: any password, and so here any that can be hashed.
        if !(1..=PASSWORD_BYTES_MAX).contains(&new.password.len()) {
            return Err(PeopleError::Invalid("a password has 1 to 1024 bytes"));
        }
        if new.invite.is_none() && !self.is_registration_open {
            return Err(PeopleError::NeedsInvite);
        }
        self.throttle.charge(address, None, self.clock.now())?;
        let hash = self.passwords.hash(new.password).await?;
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        if users::count(&transaction).await? >= USERS_MAX {
            return Err(PeopleError::TooManyUsers { users_max: USERS_MAX });
        }
        let now = self.clock.now();
        let invite = match new.invite {
            Some(code) => Some(invites::hold(&transaction, code, now).await?),
            None => None,
        };
        let role = invite.as_ref().and_then(|invite| invite.role.as_deref());
        let user = self.add(&transaction, &names, &hash, role).await?;
        if let Some(invite) = &invite {
            crate::store::invites::mark_used(&transaction, invite.id, user.id, now).await?;
        }
        let details = json!({ "role": role, "invite": invite.as_ref().map(|invite| invite.id) });
        let entry = Actor::oneself(&user, address).did("user.register", subject(&user), details, now);
        audit::add(&transaction, &entry).await?;
        transactions::commit(transaction).await?;
        Ok(user)
    }

    /// Adds somebody. Without a password one is made up and told once.
    ///
    /// # Errors
    /// When a name is taken, or PostgreSQL is not available.
    pub async fn create(
        &self,
        (username, email): (Option<&str>, Option<&str>),
        password: Option<&str>,
        role: Option<Role>,
        by: &Actor,
    ) -> Result<Created, PeopleError> {
        let names = Names::new(username, email)?;
        let made_up = match password {
            Some(given) => check_password(given).map(|()| None)?,
            None => Some(random_text()?),
        };
        let hash = self.passwords.hash(made_up.as_deref().or(password).unwrap_or_default()).await?;
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let user = self.add(&transaction, &names, &hash, role.map(Role::name)).await?;
        let details: Value = json!({ "role": role.map(Role::name) });
        audit::add(&transaction, &by.did("user.create", subject(&user), details, self.clock.now())).await?;
        transactions::commit(transaction).await?;
        Ok(Created { user, password: made_up })
    }

    async fn add(
        &self,
        transaction: &Transaction<'_>,
        names: &Names,
        password_hash: &str,
        role: Option<&str>,
    ) -> Result<User, PeopleError> {
        let (username, email) = (names.username.as_deref(), names.email.as_deref());
        let new = NewUser { username, email, password_hash, role };
        users::add(transaction, &new, self.clock.now()).await?.ok_or(PeopleError::NameTaken)
    }
}

//! From a name and a password to a session or a pair of tokens. Every try is written down, the ones that failed too.

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use super::names::{could_be, normal_email};
use super::{Actor, People, PeopleError, Visitor, subject};
use crate::auth::refresh;
use crate::auth::sessions::{self, SESSION_SECONDS};
use crate::model::Micros;
use crate::store::sessions::NewSession;
use crate::store::users::User;
use crate::store::{Transaction, audit, transactions, users};

/// Sessions of one person; the oldest end when there are more.
const SESSIONS_MAX: i64 = 100;
/// What of the name of a browser is kept.
const USER_AGENT_BYTES_MAX: usize = 256;
const MICROS_A_SECOND: i64 = 1_000_000;

/// A browser that was signed in.
pub struct SignedIn {
    pub user: User,
    /// The value of the cookie.
    pub cookie: String,
}

/// What a program that was signed in gets.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SignedIn").field("user", &self.user).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tokens([redacted])")
    }
}

impl People {
    /// Signs a browser in. A session it had before ends.
    ///
    /// # Errors
    /// When the name or the password is wrong, nobody may try at the moment, or PostgreSQL is not available.
    pub async fn sign_in(
        &self,
        (login, password): (&str, &str),
        visitor: &Visitor,
        before: Option<&str>,
    ) -> Result<SignedIn, PeopleError> {
        let user = self.recognize(login, password, visitor.address).await?;
        let cookie = sessions::mint(&self.keys)?;
        let now = self.clock.now();
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let user = self.confirm(&transaction, &user, "session", visitor.address).await?;
        if let Some(hash) = before.and_then(|cookie| self.session_hash(cookie)) {
            crate::store::sessions::end(&transaction, &hash).await?;
        }
        let user_agent = visitor.user_agent.replace('\0', "");
        let new = NewSession {
            hash: &cookie.hash,
            user: user.id,
            now,
            expires_at: Micros(now.0.saturating_add(SESSION_SECONDS * MICROS_A_SECOND)),
            address: visitor.address,
            user_agent: &user_agent[..user_agent.floor_char_boundary(USER_AGENT_BYTES_MAX)],
        };
        crate::store::sessions::add(&transaction, &new, SESSIONS_MAX).await?;
        transactions::commit(transaction).await?;
        Ok(SignedIn { user, cookie: cookie.value })
    }

    /// Signs a program in.
    ///
    /// # Errors
    /// As for a browser.
    pub async fn sign_in_program(
        &self,
        (login, password): (&str, &str),
        address: IpAddr,
    ) -> Result<Tokens, PeopleError> {
        let user = self.recognize(login, password, address).await?;
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let user = self.confirm(&transaction, &user, "token", address).await?;
        let tokens = refresh::hand_out(&transaction, &self.keys, &user, Uuid::new_v4(), self.clock.now()).await?;
        transactions::commit(transaction).await?;
        Ok(tokens)
    }

    /// Ends a session. One that is not there is over already.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn sign_out(&self, cookie: &str, address: IpAddr) -> Result<(), PeopleError> {
        let Some(hash) = self.session_hash(cookie) else { return Ok(()) };
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        if let Some(id) = crate::store::sessions::end(&transaction, &hash).await?
            && let Some(user) = users::by_id(&transaction, id).await?
        {
            let entry = Actor::oneself(&user, address).did("logout", subject(&user), json!({}), self.clock.now());
            audit::add(&transaction, &entry).await?;
        }
        Ok(transactions::commit(transaction).await?)
    }

    /// The person of that name, when the password is theirs. Takes as long when there is none.
    pub(super) async fn recognize(&self, login: &str, password: &str, address: IpAddr) -> Result<User, PeopleError> {
        if !could_be(login, password) {
            return Err(PeopleError::WrongCredentials);
        }
        self.throttle.charge(address, Some(login), self.clock.now())?;
        let found = {
            let client = self.database.client().await?;
            users::by_login(&client, login, &normal_email(login)).await?
        };
        let stored = found.as_ref().map(|user| user.password_hash.as_str());
        let looked_at = self.passwords.is_right(password, stored).await;
        // What was not looked at is no try.
        let is_right = looked_at.inspect_err(|_| self.throttle.refund(address, login))?;
        match found {
            Some(user) if is_right && user.is_active => {
                self.throttle.refund(address, login);
                Ok(user)
            }
            found => {
                self.write_down_failure(found.as_ref(), address).await?;
                Err(PeopleError::WrongCredentials)
            }
        }
    }

    /// What was typed for a name is not kept where nobody has it: it may be a password.
    async fn write_down_failure(&self, user: Option<&User>, address: IpAddr) -> Result<(), PeopleError> {
        let whom = user.map_or_else(|| "nobody".to_owned(), subject);
        let entry = Actor::unknown(address).did("login.failed", whom, json!({}), self.clock.now());
        Ok(audit::add(&self.database.client().await?, &entry).await?)
    }

    /// The person once more, now held: what was right a moment ago may have been taken away.
    async fn confirm(
        &self,
        transaction: &Transaction<'_>,
        seen: &User,
        by: &str,
        address: IpAddr,
    ) -> Result<User, PeopleError> {
        let now = self.clock.now();
        let user = users::hold(transaction, seen.id).await?;
        let user = user.filter(|user| user.is_active && user.password_hash == seen.password_hash);
        let user = user.ok_or(PeopleError::WrongCredentials)?;
        users::signed_in(transaction, user.id, now).await?;
        let entry = Actor::oneself(&user, address).did("login", subject(&user), json!({ "by": by }), now);
        audit::add(transaction, &entry).await?;
        Ok(user)
    }
}

//! People: who they are by what they show, and everything that changes who may sign in.
//!
//! - Whatever changes something writes down who did it, in the same transaction.
//! - Whoever changes what a person may do, or signs them in, holds the person's row: so nobody is signed in with a
//!   password, a role or a state that was taken away meanwhile.
//! - Nothing is kept in memory: who may not sign in any more is turned away with their next request.

mod change; // what administrators do, and people to themselves
mod error; // why something was refused
mod names; // user names and e-mail addresses
mod register; // new people
mod sign_in; // names and passwords to sessions and tokens

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::access_token::{self, Kind};
use super::keys::Keys;
use super::passwords::Passwords;
use super::principal::{Principal, Role};
use super::sessions;
use super::throttle::Throttle;
use crate::clock::Clock;
use crate::model::{Micros, UserId};
use crate::store::audit::Entry;
use crate::store::users::User;
use crate::store::{Database, StoreError, sessions as stored_sessions, users};

pub use change::{Change, Created, NewPassword};
pub use error::PeopleError;
pub use register::Registering;
pub use sign_in::{SignedIn, Tokens};

/// A session's last use is written down to this.
const LAST_USED_MICROS: i64 = 60 * 1_000_000;

#[derive(Clone, Debug)]
pub struct PeopleConfig {
    pub keys: Keys,
    pub is_registration_open: bool,
    pub password_checks_max: usize,
    /// Cookies go over TLS only.
    pub has_secure_cookies: bool,
}

#[derive(Debug)]
pub struct People {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: Keys,
    pub(super) passwords: Passwords,
    throttle: Throttle,
    is_registration_open: bool,
    has_secure_cookies: bool,
}

/// From where someone came, as it is written down.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub address: IpAddr,
    pub user_agent: String,
}

/// Who does something, as it is written down.
#[derive(Clone, Debug)]
pub struct Actor {
    pub label: String,
    pub user: Option<UserId>,
    /// Nobody has one on the command line.
    pub address: Option<IpAddr>,
}

impl People {
    pub fn new(config: PeopleConfig, database: Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            database,
            clock,
            keys: config.keys,
            passwords: Passwords::new(config.password_checks_max),
            throttle: Throttle::default(),
            is_registration_open: config.is_registration_open,
            has_secure_cookies: config.has_secure_cookies,
        }
    }

    pub fn is_registration_open(&self) -> bool {
        self.is_registration_open
    }

    /// Whether the cookies of sessions go over TLS only.
    pub fn has_secure_cookies(&self) -> bool {
        self.has_secure_cookies
    }

    /// Whose session it is.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn by_cookie(&self, cookie: &str) -> Result<Option<Principal>, StoreError> {
        let Some(hash) = self.session_hash(cookie) else { return Ok(None) };
        let (client, now) = (self.database.client().await?, self.clock.now());
        let Some((user, session, last_used)) = stored_sessions::find(&client, &hash, now).await? else {
            return Ok(None);
        };
        if now.0.saturating_sub(last_used.0) >= LAST_USED_MICROS {
            stored_sessions::touch(&client, session, now).await?;
        }
        Ok(Some(principal(&user)))
    }

    /// Whom an access token speaks for.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn by_access_token(&self, token: &str) -> Result<Option<Principal>, StoreError> {
        let Some(claims) = access_token::read(&self.keys, token, Kind::Access, self.clock.now()) else {
            return Ok(None);
        };
        let client = self.database.client().await?;
        let email = claims.sub.to_ascii_lowercase();
        let user = users::of_token(&client, (&claims.sub, &email), claims.uid, claims.sid).await?;
        Ok(user.as_ref().map(principal))
    }

    /// What is stored of the session with that cookie; `None` when we never made it.
    pub fn session_hash(&self, cookie: &str) -> Option<[u8; 32]> {
        sessions::stored_hash(&self.keys, cookie)
    }
}

/// The person as a caller.
pub(super) fn principal(user: &User) -> Principal {
    Principal::user(user.id, user.name().into(), user.role.as_deref().and_then(Role::parse))
}

impl Actor {
    pub fn of(principal: &Principal, address: IpAddr) -> Self {
        Self { label: principal.label(), user: principal.person(), address: Some(address) }
    }

    /// The person themselves.
    pub fn oneself(user: &User, address: IpAddr) -> Self {
        Self::of(&principal(user), address)
    }

    /// Somebody who shows nothing.
    pub fn unknown(address: IpAddr) -> Self {
        Self { label: "anyone".to_owned(), user: None, address: Some(address) }
    }

    /// Whoever runs the server.
    pub fn operator() -> Self {
        Self { label: "operator".to_owned(), user: None, address: None }
    }

    /// What they did, for the audit. `details` hold no secret.
    pub fn did(&self, action: &str, subject: impl Into<String>, details: Value, at: Micros) -> Entry {
        Entry {
            at,
            actor: self.label.clone(),
            user: self.user,
            action: action.to_owned(),
            subject: subject.into(),
            details,
            address: self.address,
        }
    }
}

/// What a person is called in the audit.
fn subject(user: &User) -> String {
    format!("user {} ({})", user.id.0, user.name())
}

//! Refresh tokens: each is good once, for the next pair. All that follow from one signing in are a family.
//!
//! When a token that was used comes again, somebody has a copy: the whole family ends, in the transaction in which that
//! is seen. Whoever changes a family holds its person first, so that no token slips out of it meanwhile.

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use super::access_token::{self, Claims, Kind};
use super::keys::Keys;
use super::people::{Actor, People, PeopleError, Tokens};
use crate::model::Micros;
use crate::store::refresh_tokens::{self, RefreshToken};
use crate::store::users::User;
use crate::store::{Transaction, audit, transactions, users};

pub const ACCESS_SECONDS: i64 = 30 * 60;
pub const REFRESH_SECONDS: i64 = 7 * 86_400;
/// Refresh tokens of one person, used ones included; those that end first go when there are more.
const TOKENS_MAX: i64 = 1_000;
const MICROS_A_SECOND: i64 = 1_000_000;

impl People {
    /// The next pair for a refresh token that was not used yet.
    ///
    /// # Errors
    /// When it is not good, or PostgreSQL is not available.
    pub async fn refresh(&self, token: &str, address: IpAddr) -> Result<Tokens, PeopleError> {
        let now = self.clock.now();
        let jti = self.number_of(token).ok_or(PeopleError::BadRefreshToken)?;
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let Some((user, stored)) = hold(&transaction, jti).await? else { return Err(PeopleError::BadRefreshToken) };
        if stored.revoked_at.is_some() {
            let ended = refresh_tokens::revoke_family(&transaction, stored.family, now).await?;
            if ended > 0 {
                let whom = format!("user {} ({})", user.id.0, user.name());
                let entry = Actor::unknown(address).did("refresh.reused", whom, json!({ "ended": ended }), now);
                audit::add(&transaction, &entry).await?;
            }
            transactions::commit(transaction).await?;
            return Err(PeopleError::BadRefreshToken);
        }
        if !user.is_active || stored.expires_at <= now {
            return Err(PeopleError::BadRefreshToken);
        }
        refresh_tokens::revoke(&transaction, jti, now).await?;
        let tokens = hand_out(&transaction, &self.keys, &user, stored.family, now).await?;
        transactions::commit(transaction).await?;
        Ok(tokens)
    }

    /// Ends the signing in that a refresh token comes from. One that is not good ended already.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn sign_out_program(&self, token: &str, address: IpAddr) -> Result<(), PeopleError> {
        let Some(jti) = self.number_of(token) else { return Ok(()) };
        let now = self.clock.now();
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let Some((user, stored)) = hold(&transaction, jti).await? else { return Ok(()) };
        if refresh_tokens::revoke_family(&transaction, stored.family, now).await? > 0 {
            let whom = format!("user {} ({})", user.id.0, user.name());
            audit::add(&transaction, &Actor::oneself(&user, address).did("logout", whom, json!({}), now)).await?;
        }
        Ok(transactions::commit(transaction).await?)
    }

    fn number_of(&self, token: &str) -> Option<Uuid> {
        access_token::read(&self.keys, token, Kind::Refresh, self.clock.now())?.jti
    }
}

/// A new pair of that family. The person is held.
pub(super) async fn hand_out(
    transaction: &Transaction<'_>,
    keys: &Keys,
    user: &User,
    family: Uuid,
    now: Micros,
) -> Result<Tokens, PeopleError> {
    let expires_at = Micros(now.0.saturating_add(REFRESH_SECONDS * MICROS_A_SECOND));
    let new = RefreshToken { jti: Uuid::new_v4(), family, user: user.id, expires_at, revoked_at: None };
    refresh_tokens::add(transaction, &new, TOKENS_MAX).await?;
    let claims = |kind, seconds, jti| {
        let exp = now.0.div_euclid(MICROS_A_SECOND) + seconds;
        Claims { sub: user.name().to_owned(), exp, kind, jti, uid: Some(user.id.0), sid: Some(family) }
    };
    Ok(Tokens {
        access: access_token::issue(keys, &claims(Kind::Access, ACCESS_SECONDS, None)),
        refresh: access_token::issue(keys, &claims(Kind::Refresh, REFRESH_SECONDS, Some(new.jti))),
    })
}

/// The token as it is once its person is held, and not as it was before others let go of them.
async fn hold(transaction: &Transaction<'_>, jti: Uuid) -> Result<Option<(User, RefreshToken)>, PeopleError> {
    let Some(seen) = refresh_tokens::get(transaction, jti).await? else { return Ok(None) };
    let Some(user) = users::hold(transaction, seen.user).await? else { return Ok(None) };
    Ok(refresh_tokens::get(transaction, jti).await?.map(|token| (user, token)))
}

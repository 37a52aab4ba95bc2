//! Invitations: a code that lets one person register, with the role it gives. Told once, stored as a hash.

use std::time::Duration;

use serde_json::json;

use super::keys::{hash_of, random_text};
use super::people::{Actor, People, PeopleError};
use super::principal::Role;
use crate::model::Micros;
use crate::store::invites::{self, HeldInvite, NewInvite};
use crate::store::{Transaction, audit, transactions, users};

/// Invitations that are neither used nor over.
const OPEN_MAX: i64 = 1_000;
/// A longer code is none of ours.
const CODE_BYTES_MAX: usize = 256;

/// An invitation that was just made.
pub struct NewCode {
    pub id: i64,
    pub code: String,
    pub expires_at: Micros,
}

impl std::fmt::Debug for NewCode {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NewCode").field("id", &self.id).finish_non_exhaustive()
    }
}

impl People {
    /// Invites one person, who has until then to come.
    ///
    /// # Errors
    /// When there are as many invitations as there may be, or PostgreSQL is not available.
    pub async fn invite(&self, role: Option<Role>, lasts: Duration, by: &Actor) -> Result<NewCode, PeopleError> {
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        let code = self.make_code(&transaction, role, (lasts, false), by).await?;
        transactions::commit(transaction).await?;
        Ok(code)
    }

    pub(super) async fn make_code(
        &self,
        transaction: &Transaction<'_>,
        role: Option<Role>,
        (lasts, sets_up): (Duration, bool),
        by: &Actor,
    ) -> Result<NewCode, PeopleError> {
        let (code, now) = (random_text()?, self.clock.now());
        let lasts = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX);
        let expires_at = Micros(now.0.saturating_add(lasts));
        // Two at the same moment must not both find room.
        users::take_turn(transaction).await?;
        if invites::open(transaction, now).await? >= OPEN_MAX {
            return Err(PeopleError::TooManyInvites { invites_max: OPEN_MAX });
        }
        let (hash, role) = (hash_of(&code), role.map(Role::name));
        let new = NewInvite { hash: &hash, role, created_by: by.user, sets_up, now, expires_at };
        let id = invites::add(transaction, &new).await?;
        let entry = by.did("invite.create", format!("invite {id}"), json!({ "role": role }), now);
        audit::add(transaction, &entry).await?;
        Ok(NewCode { id, code, expires_at })
    }

    /// # Errors
    /// When there is none that could be used, or PostgreSQL is not available.
    pub async fn revoke_invite(&self, id: i64, by: &Actor) -> Result<(), PeopleError> {
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        if !invites::revoke(&transaction, id).await? {
            return Err(PeopleError::NoSuchInvite);
        }
        let entry = by.did("invite.revoke", format!("invite {id}"), json!({}), self.clock.now());
        audit::add(&transaction, &entry).await?;
        Ok(transactions::commit(transaction).await?)
    }
}

/// The invitation with that code, which nobody else can use until the end of the transaction.
pub(super) async fn hold(transaction: &Transaction<'_>, code: &str, now: Micros) -> Result<HeldInvite, PeopleError> {
    if code.len() > CODE_BYTES_MAX {
        return Err(PeopleError::BadInvite);
    }
    let held = invites::hold(transaction, &hash_of(code), now).await?.ok_or(PeopleError::BadInvite)?;
    if held.sets_up {
        // The code for the first administrator makes no second one.
        users::take_turn(transaction).await?;
        if users::has_admin(transaction).await? {
            return Err(PeopleError::BadInvite);
        }
    }
    Ok(held)
}

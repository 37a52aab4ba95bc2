//! The first administrator: made from the settings, or invited by a code in the log. With one there, nothing happens.

use std::time::Duration;

use serde_json::json;

use super::invites::NewCode;
use super::people::{Actor, People, PeopleError};
use super::principal::Role;
use crate::store::users::{self, NewUser, User};
use crate::store::{Transaction, audit, refresh_tokens, sessions, transactions};

/// How long the code in the log is good.
const CODE_LASTS: Duration = Duration::from_secs(24 * 3600);

/// What came of it.
#[derive(Debug)]
pub enum FirstAdmin {
    /// There is one.
    There,
    /// This one was made from the settings.
    Made(User),
    /// Whoever registers with it becomes one.
    Invited(NewCode),
}

impl People {
    /// Sees to it that there can be an administrator. `given` is the e-mail address and password of the settings.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn first_admin(&self, given: Option<(&str, &str)>) -> Result<FirstAdmin, PeopleError> {
        if users::has_admin(&self.database.client().await?).await? {
            return Ok(FirstAdmin::There);
        }
        let hash = match given {
            Some((_, password)) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let mut client = self.database.client().await?;
        let transaction = transactions::begin(&mut client).await?;
        users::take_turn(&transaction).await?;
        // Another process may have been first.
        if users::has_admin(&transaction).await? {
            return Ok(FirstAdmin::There);
        }
        let outcome = match (given, hash) {
            (Some((email, _)), Some(hash)) => FirstAdmin::Made(self.make_admin(&transaction, email, &hash).await?),
            _ => {
                let role = Some(Role::Admin);
                FirstAdmin::Invited(self.make_code(&transaction, role, (CODE_LASTS, true), &Actor::operator()).await?)
            }
        };
        transactions::commit(transaction).await?;
        Ok(outcome)
    }

    /// Somebody may have registered with that address before. They are not the operator, and lose it.
    async fn make_admin(&self, transaction: &Transaction<'_>, email: &str, hash: &str) -> Result<User, PeopleError> {
        let (now, email) = (self.clock.now(), email.trim().to_ascii_lowercase());
        let role = Some(Role::Admin.name());
        let new = NewUser { username: None, email: Some(&email), password_hash: hash, role };
        let user = match users::add(transaction, &new, now).await? {
            Some(user) => user,
            None => {
                let known = users::by_login(transaction, &email, &email).await?.ok_or(PeopleError::NameTaken)?;
                let known = users::hold(transaction, known.id).await?.ok_or(PeopleError::NameTaken)?;
                sessions::revoke_all(transaction, known.id, None).await?;
                refresh_tokens::revoke_all(transaction, known.id, now).await?;
                let role = role.map(str::to_owned);
                users::change(
                    transaction,
                    &User { password_hash: hash.to_owned(), role, is_active: true, ..known },
                    now,
                )
                .await?
            }
        };
        let whom = format!("user {} ({})", user.id.0, user.name());
        audit::add(transaction, &Actor::operator().did("user.bootstrap", whom, json!({}), now)).await?;
        Ok(user)
    }
}

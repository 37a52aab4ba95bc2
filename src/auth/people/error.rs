//! Why something about people was refused.

use std::time::Duration;

use crate::auth::keys::RandomError;
use crate::auth::passwords::PasswordError;
use crate::auth::throttle::Throttled;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Nobody learns whether it was the name or the password.
    #[error("Incorrect username or password")]
    WrongCredentials,
    #[error("too many attempts; try again later")]
    Throttled { retry_after: Duration },
    #[error("too many are signing in at this moment")]
    Busy,
    #[error("{0}")]
    Invalid(&'static str),
    #[error("Username already registered")]
    NameTaken,
    #[error("registration is by invitation only")]
    NeedsInvite,
    #[error("the invitation is not valid")]
    BadInvite,
    #[error("Could not validate credentials")]
    BadRefreshToken,
    #[error("there is no such person")]
    NoSuchUser,
    #[error("there is no such session")]
    NoSuchSession,
    #[error("there is no such invitation, or it was used")]
    NoSuchInvite,
    #[error("there are {users_max} people, as many as may register")]
    TooManyUsers { users_max: i64 },
    #[error("the last administrator has to stay one")]
    LastAdmin,
    #[error("there are {invites_max} open invitations, as many as there may be")]
    TooManyInvites { invites_max: i64 },
    #[error("a password could not be looked at")]
    Password(#[source] PasswordError),
    #[error("no code could be made")]
    Random(#[from] RandomError),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<PasswordError> for PeopleError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed(_) | PasswordError::Abandoned(_) => Self::Password(error),
        }
    }
}

impl From<Throttled> for PeopleError {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled { retry_after: throttled.retry_after }
    }
}

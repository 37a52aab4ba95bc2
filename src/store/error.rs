//! What can go wrong with the database, and the one decision whether trying again can help.

use std::error::Error;
use std::io::ErrorKind;

use tokio_postgres::error::SqlState;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL cannot be reached, is starting, stopping, full or overloaded: the same call may succeed later.
    #[error("PostgreSQL is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// PostgreSQL refused the statement, or answered something unexpected: a defect, or a schema changed by hand.
    #[error("PostgreSQL refused a statement")]
    Refused(#[source] tokio_postgres::Error),
    /// What was to be added refers to something that is not there.
    #[error("the row refers to one that does not exist")]
    MissingReference,
    /// The row is there already.
    #[error("the row exists")]
    Duplicate,
    /// Numbers of this process may be another's now, so nothing may be written under them.
    #[error("the database was set back to before this process had its number; restart it")]
    SetBack,
    /// The database holds something this version cannot read.
    #[error("stored data cannot be read: {0}")]
    Unreadable(String),
    #[error("migration {name} was changed after it was applied")]
    MigrationChanged { name: String },
    #[error("the database was migrated by a newer version of the program: it knows {name}")]
    MigrationUnknown { name: String },
}

impl StoreError {
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
            Self::MissingReference
        } else if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
            Self::Duplicate
        } else if is_passing(&error) {
            Self::unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::unavailable(error)
    }
}

/// Whether the same statement may succeed later.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        // Not an answer of the server: the connection broke, or a value could not be converted, which stays so.
        // Values that cannot be written or read are reported as this kind of error too, but not as these two.
        let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        let broken = io.is_some_and(|io| !matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData));
        return error.is_closed() || broken;
    };
    // By class: connection, transaction rollback, resources, operator intervention, system error.
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58")
        || [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::LOCK_NOT_AVAILABLE].contains(code)
}

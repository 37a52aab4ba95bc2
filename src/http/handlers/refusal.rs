//! What a stage's error means to a client: the one place where causes become statuses. Inner texts stay inside.

use std::time::Duration;

use crate::admit::rate;
use crate::auth::agents::AgentError;
use crate::auth::grants::GrantError;
use crate::auth::signature::SignatureError;
use crate::auth::{PeopleError, Unanswered};
use crate::catalog::RegisterError;
use crate::http::ApiError;
use crate::http::body::BodyError;
use crate::http::error::ErrorStatus;
use crate::jobs::JobError;
use crate::jobs::runner::RunError;
use crate::journal::CommitError;
use crate::live::SubscribeError;
use crate::query::aggregate::AggregateRequestError;
use crate::query::{QueryError, RequestError};
use crate::store::StoreError;
use crate::transfer::ImportError;
use crate::wire::native::DocumentError;

/// When to come back after something that passes by itself.
const SOON: Duration = Duration::from_secs(1);
/// When to come back after PostgreSQL was not there.
const LATER: Duration = Duration::from_secs(2);

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::unavailable("database_unavailable", "PostgreSQL is not available", LATER).with_source(error)
            }
            StoreError::MissingReference => Self::not_found("what this refers to does not exist"),
            StoreError::Duplicate => Self::conflict("exists", "it exists already"),
            StoreError::SetBack
            | StoreError::Refused(_)
            | StoreError::Unreadable(_)
            | StoreError::MigrationChanged { .. }
            | StoreError::MigrationUnknown { .. } => Self::internal(error),
        }
    }
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        let message = error.to_string();
        match error {
            PeopleError::WrongCredentials | PeopleError::BadRefreshToken => Self::unauthorized(message, "Bearer"),
            PeopleError::Throttled { retry_after } => {
                Self::too_many_requests("too_many_attempts", message, retry_after)
            }
            PeopleError::Busy => Self::unavailable("signing_in_busy", message, LATER),
            PeopleError::Invalid(_) => Self::bad_request("invalid", message),
            PeopleError::NameTaken => Self::bad_request("name_taken", message),
            PeopleError::BadInvite => Self::bad_request("bad_invite", message),
            PeopleError::NeedsInvite | PeopleError::TooManyUsers { .. } => Self::forbidden(message),
            PeopleError::NoSuchUser | PeopleError::NoSuchSession | PeopleError::NoSuchInvite => {
                Self::not_found(message)
            }
            PeopleError::LastAdmin => Self::conflict("last_admin", message),
            PeopleError::TooManyInvites { .. } => Self::conflict("too_many_invites", message),
            PeopleError::Password(_) | PeopleError::Random(_) => Self::internal(error),
            PeopleError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for ApiError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::TooMany { .. } => Self::new(ErrorStatus::Forbidden, "too_many_servers", error.to_string()),
            RegisterError::OutOfReach => Self::forbidden(error.to_string()),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let message = error.to_string();
        match error {
            CommitError::QueueFull => Self::unavailable("queue_full", message, SOON),
            CommitError::Closing => Self::unavailable("shutting_down", message, SOON),
            CommitError::TimedOut { .. } => Self::unavailable("commit_timeout", message, LATER),
            CommitError::Refused => Self::internal(error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::TooManySeries { .. } => Self::unprocessable("too_many_series", error.to_string()),
            QueryError::TooManyPoints { .. } => Self::unprocessable("too_many_points", error.to_string()),
            QueryError::TooManySamples { .. } | QueryError::TooManyForPercentiles { .. } => {
                Self::unprocessable("too_many_samples", error.to_string())
            }
            QueryError::Expired { .. } => Self::unprocessable("expired", error.to_string()),
            QueryError::Moving => Self::unavailable("query_moving", error.to_string(), SOON),
            QueryError::TimedOut { .. } => Self::unavailable("query_timeout", error.to_string(), LATER),
            QueryError::Abandoned | QueryError::Moved | QueryError::Row(_) | QueryError::Block(_) => {
                Self::internal(error)
            }
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::Unknown => Self::not_found(message),
            RunError::Busy => Self::unavailable("job_busy", message, LATER),
            RunError::Stopping => Self::unavailable("shutting_down", message, SOON),
            RunError::Failed(JobError::Elsewhere) => Self::conflict("job_elsewhere", message),
            RunError::Failed(JobError::Store(error)) => error.into(),
            RunError::Failed(error) => Self::internal(error),
        }
    }
}

impl From<SubscribeError> for ApiError {
    fn from(error: SubscribeError) -> Self {
        let message = error.to_string();
        match error {
            SubscribeError::Stopped => Self::unavailable("shutting_down", message, SOON),
            SubscribeError::Busy => Self::unavailable("live_busy", message, SOON),
            SubscribeError::TooManySessions | SubscribeError::TooManyMatches => {
                Self::unavailable("live_full", message, LATER)
            }
        }
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self::bad_request("bad_parameter", error.to_string())
    }
}

impl From<AggregateRequestError> for ApiError {
    fn from(error: AggregateRequestError) -> Self {
        Self::bad_request("bad_parameter", error.to_string())
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        let offset = serde_json::json!({ "offset": error.offset });
        Self::bad_request("malformed_document", error.to_string()).with_details(vec![offset])
    }
}

impl From<ImportError<BodyError>> for ApiError {
    fn from(error: ImportError<BodyError>) -> Self {
        let message = error.to_string();
        match error {
            ImportError::Source(source) => source.into(),
            ImportError::Head(_) => Self::bad_request("bad_head", message),
            ImportError::NoRoom => Self::unavailable("engine_full", message, SOON),
            ImportError::Rate(refused) => refused.into(),
            ImportError::Commit(cause) => cause.into(),
            ImportError::Store(cause) => cause.into(),
        }
    }
}

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        let message = error.to_string();
        match error {
            AgentError::NotFound => Self::not_found(message),
            AgentError::NoRoom => Self::new(ErrorStatus::Forbidden, "too_many", message),
            AgentError::NoRandomness(error) => Self::internal(error),
            AgentError::Store(error) => error.into(),
        }
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        let message = error.to_string();
        match error {
            GrantError::BeyondRights | GrantError::BeyondReach => Self::forbidden(message),
            GrantError::Expired => Self::bad_request("expired", message),
            GrantError::TooMany => Self::new(ErrorStatus::Forbidden, "too_many", message),
            GrantError::NotFound => Self::not_found(message),
            GrantError::NoRandomness(error) => Self::internal(error),
            GrantError::Store(error) => error.into(),
        }
    }
}

impl From<Unanswered> for ApiError {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Bad(bad) => Self::unauthorized(bad.to_string(), "Bearer"),
            Unanswered::Unavailable => Self::unavailable("database_unavailable", error.to_string(), LATER),
        }
    }
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> Self {
        let message = error.to_string();
        match error {
            SignatureError::NoSecret => Self::internal(error),
            SignatureError::BadSignature => Self::unauthorized(message, "Bearer"),
            SignatureError::BadTimestamp => Self::bad_request("invalid_timestamp", message),
            SignatureError::Stale => Self::bad_request("stale", message),
        }
    }
}

impl From<rate::Refused> for ApiError {
    fn from(refused: rate::Refused) -> Self {
        Self::too_many_requests("rate_limited", refused.to_string(), refused.retry_after)
    }
}

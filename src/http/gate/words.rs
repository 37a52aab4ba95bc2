//! What a route asks of its callers, and the words in which the clients of its system are refused.

use crate::auth::{Access, Refusal};
use crate::http::error::{ApiError, ErrorShape};

/// What a route says of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub access: Access,
    pub shape: ErrorShape,
    pub words: Words,
}

/// Whose clients are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Ours.
    Plain,
    /// Those of services that people sign in to.
    SignIn,
    /// Pages of administrators, to whom a session that is over is none.
    AdminPage,
    /// Endpoints with a bearer token.
    Bearer,
    /// Agents with a token in a header of its own.
    Agent,
    /// Dashboards that read the history of agents.
    History,
    /// Sockets of dashboards, refused before they open: a 403 whatever is wrong.
    Socket,
    /// InfluxDB 1, whose clients may put their password into the query.
    InfluxOne,
    InfluxTwo,
    InfluxThree,
}

impl From<(Access, ErrorShape)> for Terms {
    fn from((access, shape): (Access, ErrorShape)) -> Self {
        let words = match (shape, access) {
            (ErrorShape::Detail, Access::ADMINISTER) => Words::AdminPage,
            (ErrorShape::Detail, _) => Words::SignIn,
            (ErrorShape::Influx, _) => Words::InfluxTwo,
            // The path of the fleet's endpoints, which a system without tokens shares.
            (ErrorShape::Both, _) => Words::Bearer,
            (
                ErrorShape::Structured | ErrorShape::Text | ErrorShape::Rpc | ErrorShape::RpcBytes | ErrorShape::Plain,
                _,
            ) => Words::Plain,
        };
        Self { access, shape, words }
    }
}

impl From<(Access, ErrorShape, Words)> for Terms {
    fn from((access, shape, words): (Access, ErrorShape, Words)) -> Self {
        Self { access, shape, words }
    }
}

impl Words {
    /// What is said to those who show nothing, and to those who show something that is not good.
    fn of_refusal(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("authentication is required", "the credentials are not valid"),
            Self::SignIn | Self::Socket => ("Not authenticated", "Could not validate credentials"),
            Self::AdminPage => ("Not authenticated", "Not authenticated"),
            Self::Bearer => ("Missing bearer token", "Invalid token"),
            Self::Agent => ("Missing agent token", "Invalid agent token"),
            Self::History => ("Missing authentication", "Invalid token"),
            Self::InfluxOne => ("unable to parse authentication credentials", "authorization failed"),
            Self::InfluxTwo => ("unauthorized access", "unauthorized access"),
            Self::InfluxThree => ("the request was not authenticated", "the request was not authenticated"),
        }
    }

    /// What `WWW-Authenticate` says.
    fn challenge(self) -> &'static str {
        match self {
            Self::InfluxOne => "Basic realm=\"InfluxDB\"",
            Self::InfluxTwo => "Token",
            _ => "Bearer",
        }
    }
}

/// A refusal, as the clients of this route know it.
pub(super) fn worded(refusal: Refusal, words: Words) -> ApiError {
    let (missing, invalid) = words.of_refusal();
    match refusal {
        Refusal::Missing if words == Words::Socket => ApiError::forbidden(missing),
        Refusal::Invalid if words == Words::Socket => ApiError::forbidden(invalid),
        Refusal::Missing => ApiError::unauthorized(missing, words.challenge()),
        Refusal::Invalid => ApiError::unauthorized(invalid, words.challenge()),
        Refusal::Forbidden { .. } if words == Words::AdminPage => ApiError::forbidden("Admin required"),
        Refusal::Forbidden { .. } => ApiError::forbidden(refusal.to_string()),
        Refusal::Unavailable(error) => error.into(),
    }
}

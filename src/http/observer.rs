//! Who wants to know about each answer, without this module knowing any metrics library.

use std::time::Duration;

use hyper::{Method, StatusCode};

/// Told about every answer. Called on the connection's task: count, do not wait.
pub trait Observer: Send + Sync {
    /// `route` is the pattern (`/api/v1/servers/{id}`), or [`UNMATCHED`], so its values are few. `duration` ends where
    /// the response head is ready; a streamed body goes on after it.
    fn answered(&self, route: &str, method: &Method, status: StatusCode, duration: Duration);
}

/// The route of a request that no route took.
pub const UNMATCHED: &str = "unmatched";

/// Looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn answered(&self, _route: &str, _method: &Method, _status: StatusCode, _duration: Duration) {}
}

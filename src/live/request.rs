//! What a client of `GET /api/v1/stream` asks for beside the protocol itself: a filter, batches, a replay.

use std::sync::Arc;

use super::reports::ReportsOf;
use crate::matching::{Filter, FilterError};
use crate::model::{Micros, Reach};

/// Why a subscription cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("since is not an RFC 3339 timestamp")]
    InvalidSince,
}

/// One subscription as the query string spells it.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    pub filter: Arc<Filter>,
    /// `batch=true`: every text frame is an array of what would otherwise be single frames.
    pub batch: bool,
    /// `since=`: first send what is stored with this time or a later one.
    pub since: Option<Micros>,
}

/// What a session is opened for.
#[derive(Clone, Debug)]
pub enum Wanted {
    Stream(StreamRequest),
    Reports(ReportsOf),
}

impl StreamRequest {
    /// Reads decoded query pairs; `reach` is that of who asks. Of an option that is given twice the last one counts; unknown keys are ignored.
    ///
    /// # Errors
    /// When the filter passes its bounds, or `since` is no timestamp.
    pub fn parse(pairs: &[(String, String)], reach: Reach) -> Result<Self, RequestError> {
        let last = |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let since = last("since").filter(|text| !text.is_empty()).map(parse_since).transpose()?;
        let batch = matches!(last("batch"), Some("true" | "1"));
        Ok(Self { filter: Arc::new(Filter::parse(pairs, reach)?), batch, since })
    }
}

fn parse_since(text: &str) -> Result<Micros, RequestError> {
    Micros::parse_rfc3339(text.as_bytes()).ok_or(RequestError::InvalidSince)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::fixtures::pairs;

    #[test]
    fn options_stand_beside_the_filter() {
        let query = pairs(&[("batch", "true"), ("since", "2025-11-20T11:00:00.5+01:00"), ("metric_type", "cpu")]);
        let request = StreamRequest::parse(&query, Reach::everything()).unwrap();
        assert!(request.batch);
        assert_eq!(request.since, Some(Micros(1_763_632_800_500_000)));
        assert!(!request.filter.is_everything());
        let plain = StreamRequest::parse(&[], Reach::everything()).unwrap();
        assert!(!plain.batch && plain.since.is_none() && plain.filter.is_everything());
    }

    #[test]
    fn a_since_that_is_no_timestamp_is_refused() {
        let refused = StreamRequest::parse(&pairs(&[("since", "yesterday")]), Reach::everything()).unwrap_err();
        assert!(matches!(refused, RequestError::InvalidSince));
    }
}

//! All series, some at a time.

use crate::model::SeriesId;
use crate::store::series::{self, SeriesName};
use crate::store::{Client, StoreError};

/// How many series are looked at in one transaction.
const PAGE_SERIES: usize = 1_000;

/// Goes through the series by id. What is added meanwhile has a higher id, and has a turn too.
#[derive(Debug, Default)]
pub(super) struct Pages {
    after: SeriesId,
}

impl Pages {
    /// The next series; `None` when there are no more.
    pub(super) async fn next(&mut self, client: &Client) -> Result<Option<Vec<SeriesName>>, StoreError> {
        let names = series::names(client, self.after, PAGE_SERIES).await?;
        let Some(last) = names.last() else { return Ok(None) };
        self.after = last.id;
        Ok(Some(names))
    }
}

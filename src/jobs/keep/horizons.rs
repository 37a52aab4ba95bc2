//! From when on the samples of each series are kept, for those who know series by number.

use std::collections::HashMap;

use super::pages::Pages;
use crate::jobs::retention::Policy;
use crate::jobs::{Context, JobError};
use crate::model::{Micros, SeriesId};

/// The horizons at one moment. Holds the exceptions only: without rules nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawHorizons {
    others: Micros,
    exceptions: HashMap<SeriesId, Micros>,
    /// Series after this one were not there yet.
    last: SeriesId,
}

impl RawHorizons {
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn load(context: &Context, policy: &Policy) -> Result<Self, JobError> {
        let now = context.clock.now();
        let (earliest, latest) = (policy.earliest(now).raw, policy.latest(now).raw);
        if earliest == latest {
            return Ok(Self { others: earliest, last: SeriesId(u32::MAX), ..Self::default() });
        }
        let mut horizons = Self { others: policy.others(now).raw, ..Self::default() };
        let client = context.database.client().await?;
        let mut pages = Pages::default();
        while let Some(names) = pages.next(&client).await? {
            for name in names {
                let horizon = policy.tiers(&name.metric_type, &name.metric_name, &name.hostname).horizons(now).raw;
                if horizon != horizons.others {
                    horizons.exceptions.insert(name.id, horizon);
                }
                horizons.last = name.id;
            }
        }
        Ok(horizons)
    }

    /// Samples of the series before this are not kept as they came. Of a series that is newer than these horizons
    /// nothing has expired: what is kept for too long goes at the next run, what is given away is gone.
    pub fn of(&self, series: SeriesId) -> Micros {
        if series > self.last {
            return Micros(i64::MIN);
        }
        self.exceptions.get(&series).copied().unwrap_or(self.others)
    }
}

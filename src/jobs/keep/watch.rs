//! Whether this month and the coming one can be written.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::jobs::Context;
use crate::model::Month;
use crate::store::StoreError;
use crate::store::partitions;

/// How old an answer may be.
const MAX_AGE: Duration = Duration::from_secs(2);

/// Remembers for a moment which months are missing, so that whoever asks often does not become a load.
#[derive(Debug)]
pub struct MonthsWatch {
    context: Context,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    asked: Option<Instant>,
    missing: Option<String>,
}

impl MonthsWatch {
    pub fn new(context: Context) -> Self {
        Self { context, known: Mutex::default() }
    }

    /// The first month that is missing, in words; `None` when all are there.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn missing(&self) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.known_or_asking() {
            return Ok(known);
        }
        let found = self.ask().await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Ok(missing) => known.missing.clone_from(missing),
            // The next one asks again.
            Err(_) => known.asked = None,
        }
        found
    }

    /// What is known, unless it is too old: then the caller is the one who asks, and others are told the old answer.
    fn known_or_asking(&self) -> Option<Option<String>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.asked.is_some_and(|asked| asked.elapsed() < MAX_AGE) {
            return Some(known.missing.clone());
        }
        known.asked = Some(Instant::now());
        None
    }

    async fn ask(&self) -> Result<Option<String>, StoreError> {
        let month = Month::of(self.context.clock.now());
        let client = self.context.database.client().await?;
        let missing = partitions::missing(&client, &[month, month.plus(1)]).await?;
        let in_words =
            |(table, month): &(partitions::Monthly, Month)| format!("{} has no table for {month}", table.table());
        Ok(missing.first().map(in_words))
    }
}

//! The tables by month that a run is about to write to, made before the transaction that does.

use std::collections::BTreeSet;

use crate::model::Micros;
use crate::rollup;
use crate::store::partitions::{self, Monthly};
use crate::store::{Client, StoreError};

pub(super) const DAY_MICROS: i64 = 86_400 * Micros::PER_SECOND;
/// Two processes that make a table at the same moment get in each other's way once.
const ATTEMPTS_MAX: usize = 3;

/// A table by month, and a day that it must have room for.
pub(super) type Need = (Monthly, Micros);

/// What is known to be there: days, as they are easier to tell than months. A month that is dropped meanwhile fails the
/// run, and the next one finds it missing.
#[derive(Debug, Default)]
pub(super) struct Months {
    known: BTreeSet<Need>,
}

impl Months {
    pub(super) fn missing(&self, needs: BTreeSet<Need>) -> Vec<Need> {
        needs.into_iter().filter(|need| !self.known.contains(need)).collect()
    }

    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn make(&mut self, client: &Client, needs: &[Need]) -> Result<(), StoreError> {
        for &(table, moment) in needs {
            let mut attempt = 1;
            while let Err(error) = partitions::make(client, table, moment).await {
                if attempt == ATTEMPTS_MAX || error.is_unavailable() {
                    return Err(error);
                }
                attempt += 1;
            }
            self.known.insert((table, rollup::start(moment, DAY_MICROS)));
        }
        Ok(())
    }
}

//! Uses of tokens that wait to be written down, a chore's work: none of them costs a request a statement.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::model::Micros;
use crate::store::{Database, StoreError, tokens};

/// Tokens whose uses wait. Those of others are not written down until these are.
const WAITING_MAX: usize = 65_536;
/// How many one statement speaks of.
const CHUNK: usize = 5_000;

#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<i64, (Micros, IpAddr)>>);

impl Uses {
    pub(super) fn note(&self, token: i64, at: Micros, from: IpAddr) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX || waiting.contains_key(&token) {
            waiting.insert(token, (at, from));
        }
    }

    /// Writes down what waits. What could not be written is not tried again: the next use will be.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub(super) async fn store(&self, database: &Database) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<(i64, Micros, IpAddr)> = waiting.into_iter().map(|(id, (at, from))| (id, at, from)).collect();
        for chunk in uses.chunks(CHUNK) {
            tokens::used(&database.client().await?, chunk).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_token_the_latest_use_waits_and_there_is_an_end_to_how_many_tokens() {
        let uses = Uses::default();
        let here = IpAddr::from([127, 0, 0, 1]);
        (0..=WAITING_MAX as i64).for_each(|token| uses.note(token, Micros(token), here));
        uses.note(0, Micros(9), here);
        let waiting = uses.0.into_inner().unwrap();
        assert_eq!((waiting.len(), waiting[&0].0), (WAITING_MAX, Micros(9)));
    }
}

//! Who has something open that outlives the request it began with, such as a live session, and its end once they would
//! not be let in any more, or not as far as they were.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::gate::{Gate, Refusal};
use super::principal::{Credentials, Principal};

/// All who are there. As many as there may be connections.
#[derive(Debug, Default)]
pub struct Presence {
    visitors: Mutex<Visitors>,
}

#[derive(Debug, Default)]
struct Visitors {
    last: u64,
    there: HashMap<u64, Arc<Visitor>>,
}

#[derive(Debug)]
struct Visitor {
    principal: Arc<Principal>,
    access: Access,
    credentials: Credentials,
    dismissed: CancellationToken,
    /// Looked at since it came: what was found out before may have been about to change.
    was_looked_at: AtomicBool,
}

/// Someone who is there until this is dropped.
#[derive(Debug)]
pub struct Visit {
    presence: Arc<Presence>,
    number: u64,
    dismissed: CancellationToken,
}

impl Presence {
    /// Someone who was let in with these credentials stays.
    pub fn enter(self: &Arc<Self>, principal: Arc<Principal>, access: Access, credentials: Credentials) -> Visit {
        let dismissed = CancellationToken::new();
        let was_looked_at = AtomicBool::new(false);
        let visitor = Visitor { principal, access, credentials, dismissed: dismissed.clone(), was_looked_at };
        let mut visitors = self.visitors();
        visitors.last += 1;
        let number = visitors.last;
        visitors.there.insert(number, Arc::new(visitor));
        drop(visitors);
        Visit { presence: Arc::clone(self), number, dismissed }
    }

    pub fn is_empty(&self) -> bool {
        self.visitors().there.is_empty()
    }

    /// Asks the gate again, for everyone or only for those who came since the last time, and dismisses whoever is not let
    /// in as they were.
    ///
    /// # Errors
    /// When the gate could not tell of someone, who stays until it can.
    pub async fn look_again(&self, gate: &Gate, at_everyone: bool) -> Result<(), Refusal> {
        let there: Vec<Arc<Visitor>> = self.visitors().there.values().map(Arc::clone).collect();
        let mut unknown = Ok(());
        for visitor in there {
            if visitor.was_looked_at.swap(true, Ordering::Relaxed) && !at_everyone {
                continue;
            }
            match gate.admit(visitor.access, &visitor.credentials.presented()).await {
                Ok(principal) if principal == visitor.principal => {}
                Err(refusal @ Refusal::Unavailable(_)) => {
                    visitor.was_looked_at.store(false, Ordering::Relaxed);
                    unknown = Err(refusal);
                }
                Ok(_) | Err(_) => visitor.dismissed.cancel(),
            }
        }
        unknown
    }

    fn visitors(&self) -> MutexGuard<'_, Visitors> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Cancelled when it has to end.
    pub fn dismissed(&self) -> &CancellationToken {
        &self.dismissed
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.presence.visitors().there.remove(&self.number);
    }
}

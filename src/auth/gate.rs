//! From what a request shows to who sent it, and whether that is enough. The one place that decides.
//!
//! Whoever shows nothing is let in as far as the settings open the server; whoever shows something is known by it or
//! refused, so that a revoked token is not worth more than none. Only a server that is open to everybody for everything
//! does not look at what it cannot recognize.

use std::sync::Arc;

use super::access::Access;
use super::lookup::Lookup;
use super::principal::{Presented, Principal, Rights};
use crate::clock::Clock;
use crate::store::{Database, StoreError};

#[derive(Debug)]
pub struct Gate {
    /// Who comes without credentials.
    anyone: Arc<Principal>,
    /// Without, nobody can show anything that is known.
    lookup: Option<Lookup>,
}

/// Why someone is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("authentication is required")]
    Missing,
    #[error("the credentials are not valid")]
    Invalid,
    #[error("{who} may not do this")]
    Forbidden { who: String },
    /// Nobody can say whether the credentials are good.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl Gate {
    pub fn new(anyone: Principal) -> Self {
        Self { anyone: Arc::new(anyone), lookup: None }
    }

    /// Tokens are looked up there.
    #[must_use]
    pub fn with_tokens(self, database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { lookup: Some(Lookup { database, clock }), ..self }
    }

    /// # Errors
    /// When the caller is not known, or may not do what `access` asks for.
    pub async fn admit(&self, access: Access, presented: &Presented<'_>) -> Result<Arc<Principal>, Refusal> {
        let principal = match self.identify(presented).await {
            Ok(principal) => principal,
            // An open route is for those whose credentials ran out too.
            Err(_) if access == Access::Open => None,
            Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
            Err(_) if self.anyone.rights == Rights::ALL => None,
            Err(refusal) => return Err(refusal),
        };
        let Some(principal) = principal else {
            let is_enough = self.anyone.may(access);
            return if is_enough { Ok(Arc::clone(&self.anyone)) } else { Err(Refusal::Missing) };
        };
        if principal.may(access) { Ok(principal) } else { Err(Refusal::Forbidden { who: principal.label() }) }
    }

    /// Who shows this; `None` when nothing was shown.
    async fn identify(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>, Refusal> {
        if presented.is_nothing() {
            return Ok(None);
        }
        let token = presented.agent_token.or(presented.token);
        let (Some(token), Some(lookup)) = (token, &self.lookup) else { return Err(Refusal::Invalid) };
        lookup.by_token(token).await?.map(Some).ok_or(Refusal::Invalid)
    }
}

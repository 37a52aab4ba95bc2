//! From what a request shows to who sent it, and whether that is enough. The one place that decides.
//!
//! Whoever shows nothing is let in as far as the settings open the server; whoever shows something is known by it or
//! refused, so that a revoked token is not worth more than none. Only a server that is open to everybody for everything
//! does not look at what it cannot recognize.

use std::sync::Arc;

use super::access::Access;
use super::access_token;
use super::people::People;
use super::principal::{Presented, Principal, Rights};
use crate::store::StoreError;

#[derive(Debug)]
pub struct Gate {
    /// Who comes without credentials.
    anyone: Arc<Principal>,
    /// Who knows people; without it nobody is one.
    people: Option<Arc<People>>,
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
    #[error("nobody can be recognized now")]
    Store(#[from] StoreError),
}

impl Gate {
    pub fn new(anyone: Principal) -> Self {
        Self { anyone: Arc::new(anyone), people: None }
    }

    #[must_use]
    pub fn with_people(mut self, people: Arc<People>) -> Self {
        self.people = Some(people);
        self
    }

    /// # Errors
    /// When the caller is not known, or may not do what `access` asks for.
    pub async fn admit(&self, access: Access, presented: &Presented<'_>) -> Result<Arc<Principal>, Refusal> {
        let is_enough = self.anyone.may(access);
        let principal = match self.identify(presented).await {
            Ok(principal) => principal,
            // An open route is for those whose credentials ran out too.
            Err(_) if is_enough && (self.anyone.rights == Rights::ALL || access == Access::Open) => None,
            Err(refusal) => return Err(refusal),
        };
        let Some(principal) = principal else {
            return if is_enough { Ok(Arc::clone(&self.anyone)) } else { Err(Refusal::Missing) };
        };
        if principal.may(access) { Ok(principal) } else { Err(Refusal::Forbidden { who: principal.label() }) }
    }

    /// Who shows this; `None` when nothing was shown. Of several things a token counts before a cookie, which browsers
    /// send along with whatever a page does.
    async fn identify(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>, Refusal> {
        if presented.is_nothing() {
            return Ok(None);
        }
        if let (None, Some(token)) = (presented.agent_token, presented.token)
            && access_token::looks_like_one(token)
        {
            return self.by_access_token(token).await.map(Some);
        }
        if let (None, None, Some(cookie)) = (presented.agent_token, presented.token, presented.cookie) {
            return self.by_cookie(cookie).await.map(Some);
        }
        Err(Refusal::Invalid)
    }

    async fn by_access_token(&self, token: &str) -> Result<Arc<Principal>, Refusal> {
        let people = self.people.as_ref().ok_or(Refusal::Invalid)?;
        people.by_access_token(token).await?.map(Arc::new).ok_or(Refusal::Invalid)
    }

    async fn by_cookie(&self, cookie: &str) -> Result<Arc<Principal>, Refusal> {
        let people = self.people.as_ref().ok_or(Refusal::Invalid)?;
        people.by_cookie(cookie).await?.map(Arc::new).ok_or(Refusal::Invalid)
    }
}

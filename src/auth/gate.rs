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
use super::tokens::Tokens;
use crate::store::StoreError;

#[derive(Debug)]
pub struct Gate {
    /// Who comes without credentials.
    anyone: Arc<Principal>,
    tokens: Option<Arc<Tokens>>,
    /// Who comes with a signature, before it was looked at; nobody when there is no secret to sign with.
    signer: Option<Arc<Principal>>,
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
    /// Nobody can say whether the credentials are good.
    #[error("nobody can be recognized now")]
    Unavailable(#[from] StoreError),
}

impl Gate {
    /// Knows nobody yet.
    pub fn new(anyone: Principal) -> Self {
        Self { anyone: Arc::new(anyone), tokens: None, signer: None, people: None }
    }

    /// Recognizes programs by their tokens.
    #[must_use]
    pub fn with_tokens(self, tokens: Arc<Tokens>) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Lets signed requests on to whoever looks at the signature.
    #[must_use]
    pub fn with_signatures(self) -> Self {
        Self { signer: Some(Arc::new(Principal::unproven_signer())), ..self }
    }

    /// Recognizes people by their cookies and access tokens.
    #[must_use]
    pub fn with_people(self, people: Arc<People>) -> Self {
        Self { people: Some(people), ..self }
    }

    /// # Errors
    /// When the caller is not known, or may not do what `access` asks for.
    pub async fn admit(&self, access: Access, presented: &Presented<'_>) -> Result<Arc<Principal>, Refusal> {
        let is_enough = self.anyone.may(access);
        let principal = match self.identify(access, presented).await {
            Ok(principal) => principal,
            // An open route is for those whose credentials ran out too.
            Err(_) if access == Access::Open => None,
            Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
            Err(_) if is_enough && self.anyone.rights == Rights::ALL => None,
            Err(refusal) => return Err(refusal),
        };
        let Some(principal) = principal else {
            return if is_enough { Ok(Arc::clone(&self.anyone)) } else { Err(Refusal::Missing) };
        };
        if principal.may(access) { Ok(principal) } else { Err(Refusal::Forbidden { who: principal.label() }) }
    }

    /// Who shows this; `None` when nothing was shown. Of several things a token counts before a cookie, which browsers
    /// send along with whatever a page does.
    async fn identify(&self, access: Access, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>, Refusal> {
        if let Some(text) = presented.agent_token {
            return self.by_token(text, presented).await.map(Some);
        }
        // Without a secret nobody can look at a signature, so it is worth as much as none.
        if let Some(signer) = self.signer.as_ref().filter(|_| presented.is_signed) {
            return if access == Access::Signed { Ok(Some(Arc::clone(signer))) } else { Err(Refusal::Invalid) };
        }
        match (presented.token, presented.cookie) {
            (Some(text), _) if access_token::looks_like_one(text) => self.by_access_token(text).await.map(Some),
            (Some(text), _) => self.by_token(text, presented).await.map(Some),
            (None, Some(cookie)) => self.by_cookie(cookie).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    async fn by_token(&self, text: &str, presented: &Presented<'_>) -> Result<Arc<Principal>, Refusal> {
        let tokens = self.tokens.as_ref().ok_or(Refusal::Invalid)?;
        tokens.principal(text, presented.address).await
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::access::Right;
    use super::super::principal::Who;
    use super::*;
    use crate::model::Reach;

    fn shown(is_signed: bool) -> Presented<'static> {
        Presented { agent_token: None, token: None, cookie: None, is_signed, address: IpAddr::from([127, 0, 0, 1]) }
    }

    fn closed() -> Gate {
        Gate::new(Principal::anyone(Rights::NONE, Reach::fleet()))
    }

    #[tokio::test]
    async fn whoever_signs_is_let_in_where_the_signature_is_looked_at_and_reaches_nothing_before() {
        let gate = closed().with_signatures();
        let signer = gate.admit(Access::Signed, &shown(true)).await.unwrap();
        assert_eq!(signer.who, Who::Signer);
        assert!(signer.reach.servers.as_ref().is_some_and(|servers| servers.is_empty()));
        assert!(matches!(gate.admit(Access::INGEST, &shown(true)).await, Err(Refusal::Invalid)));
        assert!(matches!(gate.admit(Access::Signed, &shown(false)).await, Err(Refusal::Missing)));
    }

    #[tokio::test]
    async fn a_signature_that_nobody_can_look_at_is_worth_as_much_as_none() {
        assert!(matches!(closed().admit(Access::Signed, &shown(true)).await, Err(Refusal::Missing)));
        let open = Gate::new(Principal::anyone(Rights::NONE.and(Right::Ingest), Reach::fleet()));
        assert_eq!(open.admit(Access::Signed, &shown(true)).await.unwrap().who, Who::Anyone);
    }
}

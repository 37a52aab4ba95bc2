//! Tokens that people make for their programs. Nobody gives away more than they have.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::access::Right;
use super::caller::Caller;
use super::minted::{Kind, Minted, NoRandomness};
use super::principal::{Principal, Rights};
use crate::model::{Labels, Micros, Reach, UserId};
use crate::store::tokens::{self, Grant, Listed, NewToken};
use crate::store::{Client, Database, StoreError, audit, transactions};

/// Tokens one person can have that were not revoked. Further ones are refused.
const TOKENS_MAX: i64 = 1_000;
/// Tokens of one page.
pub const PAGE_TOKENS: i64 = 1_000;

/// What someone wants a token for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub rights: Rights,
    /// `None`: all that its maker reaches.
    pub servers: Option<BTreeSet<Uuid>>,
    pub labels: Labels,
    pub expires_at: Option<Micros>,
}

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("a token may do no more than whoever makes it")]
    BeyondRights,
    #[error("a token reaches no further than whoever makes it")]
    BeyondReach,
    #[error("the token would have expired already")]
    Expired,
    #[error("there are {TOKENS_MAX} tokens; revoke some first")]
    TooMany,
    #[error("there is no such token")]
    NotFound,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// # Errors
/// When its maker has less than it is to have, or too many tokens, or PostgreSQL is not available.
pub async fn make(database: &Database, caller: Caller<'_>, wanted: &Wanted) -> Result<(Listed, Minted), GrantError> {
    let grant = granted(caller.principal, wanted, caller.at)?;
    let token = Minted::new(Kind::Api)?;
    let created_by = caller.principal.person();
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let (hash, name) = (token.hash(), wanted.name.as_str());
    let new = NewToken { hash: hash.as_bytes(), created_by, name, grant: &grant, created_at: caller.at };
    let id = tokens::add(&transaction, &new, TOKENS_MAX).await?.ok_or(GrantError::TooMany)?;
    let details = json!({ "name": name, "rights": grant.rights, "servers": grant.servers, "labels": grant.labels });
    audit::add(&transaction, &caller.did("token.create", format!("token {id}"), details)).await?;
    transactions::commit(transaction).await?;
    let name = name.to_owned();
    let listed = Listed { id, created_by, name, grant, created_at: caller.at, last_used: None, last_address: None };
    Ok((listed, token))
}

/// A page of one's own tokens with numbers above `after`, or of all for those who may administer.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn list(client: &Client, principal: &Principal, after: i64) -> Result<Vec<Listed>, StoreError> {
    tokens::list(client, whose(principal), after, PAGE_TOKENS).await
}

/// Revokes a token, on every node.
///
/// # Errors
/// When there is none, or it is another person's, or PostgreSQL is not available.
pub async fn revoke(database: &Database, caller: Caller<'_>, id: i64) -> Result<(), GrantError> {
    let mut client = database.client().await?;
    let transaction = transactions::begin(&mut client).await?;
    let name = tokens::revoke(&transaction, id, whose(caller.principal), caller.at).await?;
    let name = name.ok_or(GrantError::NotFound)?;
    audit::add(&transaction, &caller.did("token.revoke", format!("token {id}"), json!({ "name": name }))).await?;
    Ok(transactions::commit(transaction).await?)
}

/// Whose tokens they see: `None` is everybody's.
fn whose(principal: &Principal) -> Option<UserId> {
    // A person without that right is there: the route asks for one or the other.
    principal.person().filter(|_| !principal.rights.contain(Right::Administer))
}

fn granted(maker: &Principal, wanted: &Wanted, now: Micros) -> Result<Grant, GrantError> {
    if wanted.rights.within(maker.rights) != wanted.rights {
        return Err(GrantError::BeyondRights);
    }
    if wanted.expires_at.is_some_and(|at| at <= now) {
        return Err(GrantError::Expired);
    }
    let servers = servers(&maker.reach, wanted)?;
    let labels = labels(&maker.reach.labels, &wanted.labels)?;
    let labels: serde_json::Map<String, Value> =
        labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Ok(Grant {
        rights: wanted.rights.names().into_iter().map(str::to_owned).collect(),
        servers: servers.map(|servers| servers.iter().copied().collect()),
        labels: (!labels.is_empty()).then_some(Value::Object(labels)),
        expires_at: wanted.expires_at,
    })
}

fn servers(reach: &Reach, wanted: &Wanted) -> Result<Option<Arc<BTreeSet<Uuid>>>, GrantError> {
    match (&reach.servers, &wanted.servers) {
        (Some(reached), Some(wanted)) if !wanted.is_subset(reached) => Err(GrantError::BeyondReach),
        (_, Some(wanted)) => Ok(Some(Arc::new(wanted.clone()))),
        (reached, None) => Ok(reached.clone()),
    }
}

/// Those of both; a label that both have must have one value.
fn labels(reached: &Labels, wanted: &Labels) -> Result<Labels, GrantError> {
    let differs = |(name, value): (&str, &str)| reached.get(name).is_some_and(|reached| reached != value);
    if wanted.iter().any(differs) {
        return Err(GrantError::BeyondReach);
    }
    let added = wanted.iter().filter(|(name, _)| reached.get(name).is_none());
    let pairs = reached.iter().chain(added).map(|(name, value)| (name.into(), value.into())).collect();
    Labels::new(pairs).map_err(|_| GrantError::BeyondReach)
}

#[cfg(test)]
mod tests {
    use super::super::principal::Role;
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);

    fn wanted(rights: Rights) -> Wanted {
        Wanted { name: "ci".into(), rights, servers: None, labels: Labels::default(), expires_at: None }
    }

    fn of(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()).unwrap()
    }

    #[test]
    fn nobody_gives_away_a_right_they_do_not_have() {
        let viewer = Principal::user(UserId(1), "ann".into(), Some(Role::Viewer));
        let read = Rights::NONE.and(Right::Read);
        assert_eq!(granted(&viewer, &wanted(read), Micros(0)).unwrap().rights, ["read"]);
        let more = granted(&viewer, &wanted(read.and(Right::Ingest)), Micros(0));
        assert!(matches!(more, Err(GrantError::BeyondRights)), "{more:?}");
    }

    #[test]
    fn a_token_that_makes_a_token_hands_its_own_bounds_on() {
        let scoped = Reach { labels: of(&[("env", "prod")]), ..Reach::everything().only(BTreeSet::from([ONE])) };
        let maker = Principal { reach: scoped, ..Principal::everybody() };
        let grant = granted(&maker, &wanted(Rights::ALL), Micros(0)).unwrap();
        assert_eq!((grant.servers, grant.labels), (Some(vec![ONE]), Some(json!({ "env": "prod" }))));
        let further = [
            Wanted { servers: Some(BTreeSet::from([ONE, TWO])), ..wanted(Rights::NONE) },
            Wanted { labels: of(&[("env", "test")]), ..wanted(Rights::NONE) },
        ];
        for wanted in further {
            assert!(matches!(granted(&maker, &wanted, Micros(0)), Err(GrantError::BeyondReach)), "{wanted:?}");
        }
        let narrower = Wanted { labels: of(&[("rack", "7")]), ..wanted(Rights::NONE) };
        let grant = granted(&maker, &narrower, Micros(0)).unwrap();
        assert_eq!(grant.labels, Some(json!({ "env": "prod", "rack": "7" })));
    }
}

//! From a stored token to who it stands for, or why it is good for nothing. Pure: the time is handed in.

use std::collections::BTreeSet;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::access::Right;
use super::minted::TokenHash;
use super::principal::{Principal, Rights, Role, Who};
use crate::model::{Labels, Micros, Reach};
use crate::store::tokens::{AgentOf, TokenRow};

/// A token that is good.
#[derive(Clone, Debug)]
pub(super) struct Good {
    pub id: i64,
    pub principal: Arc<Principal>,
    /// From when it is not.
    pub expires_at: Option<Micros>,
    /// It is used for the first time, which must be written down before anyone is let in with it.
    pub is_first_use: bool,
}

/// Why a token is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("Invalid token")]
    Unknown,
    #[error("Token revoked.")]
    Revoked,
    /// An agent's token that was not used in time.
    #[error("Token expired. Please regenerate.")]
    NotActivated,
    #[error("Token expired.")]
    Expired,
    #[error("Agent deactivated.")]
    Deactivated,
    /// Whoever it belongs to may not sign in any more.
    #[error("Owner disabled.")]
    OwnerDisabled,
    /// Its scope cannot be read, so it reaches nothing.
    #[error("Invalid token")]
    Unreadable,
}

/// # Errors
/// Why the token is not good at `now`.
pub(super) fn judge(row: &TokenRow, hash: &TokenHash, now: Micros) -> Result<Good, Bad> {
    if !bool::from(row.hash.as_slice().ct_eq(hash.as_bytes())) {
        return Err(Bad::Unknown);
    }
    if row.revoked_at.is_some() {
        return Err(Bad::Revoked);
    }
    if row.maker.as_ref().is_some_and(|maker| !maker.is_active) {
        return Err(Bad::OwnerDisabled);
    }
    let expired = row.grant.expires_at.is_some_and(|at| at <= now);
    let principal = match &row.agent {
        Some(agent) if !agent.is_active => return Err(Bad::Deactivated),
        Some(_) if expired && row.activated_at.is_none() => return Err(Bad::NotActivated),
        Some(agent) => of_agent(agent),
        None if expired => return Err(Bad::Expired),
        None => of_program(row)?,
    };
    let is_agents = row.agent.is_some();
    Ok(Good {
        id: row.id,
        principal: Arc::new(principal),
        // An agent's token that was used in time is good for good.
        expires_at: row.grant.expires_at.filter(|_| !is_agents),
        is_first_use: is_agents && row.activated_at.is_none() && row.grant.expires_at.is_some(),
    })
}

fn of_agent(agent: &AgentOf) -> Principal {
    let AgentOf { id, name, owner, server, .. } = agent;
    Principal {
        who: Who::Agent { id: *id, name: name.as_str().into(), server: *server, owner: *owner },
        rights: Rights::NONE.and(Right::Ingest),
        reach: Reach::server(*server),
    }
}

/// Never more than its maker: what a person may do less, their tokens may too.
fn of_program(row: &TokenRow) -> Result<Principal, Bad> {
    let granted = Rights::parse(&row.grant.rights).ok_or(Bad::Unreadable)?;
    let (rights, reach) = match (row.created_by, &row.maker) {
        (Some(by), Some(maker)) => {
            let role = maker.role.as_deref().map(|name| Role::parse(name).ok_or(Bad::Unreadable)).transpose()?;
            let maker = Principal::user(by, Arc::from(""), role);
            (granted.within(maker.rights), maker.reach)
        }
        // Nobody's: made where the server was open to everybody. Whose servers persons have is not for it to see.
        (None, _) => (granted, Reach::fleet()),
        (Some(_), None) => return Err(Bad::OwnerDisabled),
    };
    let reach = match &row.grant.servers {
        Some(servers) => reach.only(servers.iter().copied().collect::<BTreeSet<_>>()),
        None => reach,
    };
    let labels = row.grant.labels.as_ref().map_or(Some(Labels::default()), labels).ok_or(Bad::Unreadable)?;
    Ok(Principal { who: Who::Token { id: row.id, by: row.created_by }, rights, reach: Reach { labels, ..reach } })
}

fn labels(value: &serde_json::Value) -> Option<Labels> {
    let pairs = value.as_object()?.iter();
    let pairs = pairs.map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())));
    Labels::new(pairs.collect::<Option<Vec<_>>>()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::minted::{Kind, Minted};
    use super::*;
    use crate::model::{UserId, Whose};
    use crate::store::tokens::{Grant, Maker};

    const MINUTE: i64 = 60_000_000;
    const SERVER: Uuid = Uuid::from_u128(7);

    fn program(minted: &Minted) -> TokenRow {
        TokenRow {
            id: 1,
            hash: minted.hash().as_bytes().to_vec(),
            grant: Grant { rights: vec!["ingest".into(), "read".into()], ..Grant::default() },
            created_by: Some(UserId(5)),
            maker: Some(Maker { role: Some("viewer".into()), is_active: true }),
            agent: None,
            activated_at: None,
            revoked_at: None,
        }
    }

    fn agent(minted: &Minted) -> TokenRow {
        let agent = AgentOf { id: 3, name: "laptop".into(), is_active: true, owner: Some(UserId(5)), server: SERVER };
        let grant = Grant { expires_at: Some(Micros(5 * MINUTE)), ..Grant::default() };
        TokenRow { agent: Some(agent), grant, created_by: None, ..program(minted) }
    }

    fn bad(row: &TokenRow, minted: &Minted, minutes: i64) -> Option<Bad> {
        judge(row, minted.hash(), Micros(minutes * MINUTE)).err()
    }

    #[test]
    fn a_token_may_what_it_was_made_for_within_what_its_maker_may() {
        let minted = Minted::new(Kind::Api).unwrap();
        let mut row = program(&minted);
        row.grant.servers = Some(vec![SERVER]);
        row.grant.labels = Some(json!({ "env": "prod" }));
        let good = judge(&row, minted.hash(), Micros(0)).unwrap();
        assert_eq!(good.principal.rights, Rights::NONE.and(Right::Read), "a viewer may not send");
        assert_eq!(good.principal.reach.whose, Whose::Some { fleet: true, owner: Some(UserId(5)) });
        assert_eq!(good.principal.reach.servers.as_deref(), Some(&BTreeSet::from([SERVER])));
        assert_eq!(good.principal.reach.labels.get("env"), Some("prod"));
        assert!(!good.is_first_use);
    }

    #[test]
    fn what_was_revoked_or_ran_out_or_belongs_to_a_disabled_person_is_refused() {
        let minted = Minted::new(Kind::Api).unwrap();
        let row = program(&minted);
        assert_eq!(bad(&row, &minted, 0), None);
        assert_eq!(bad(&row, &Minted::new(Kind::Api).unwrap(), 0), Some(Bad::Unknown));
        assert_eq!(bad(&TokenRow { revoked_at: Some(Micros(0)), ..row.clone() }, &minted, 0), Some(Bad::Revoked));
        let disabled = Some(Maker { role: None, is_active: false });
        assert_eq!(bad(&TokenRow { maker: disabled.clone(), ..row.clone() }, &minted, 0), Some(Bad::OwnerDisabled));
        assert_eq!(bad(&TokenRow { maker: disabled, ..agent(&minted) }, &minted, 0), Some(Bad::OwnerDisabled));
        let expiring =
            |at| TokenRow { grant: Grant { expires_at: Some(Micros(at)), ..row.grant.clone() }, ..row.clone() };
        assert_eq!(bad(&expiring(MINUTE), &minted, 0), None);
        assert_eq!(bad(&expiring(MINUTE), &minted, 1), Some(Bad::Expired));
        let unreadable = Grant { rights: vec!["everything".into()], ..Grant::default() };
        assert_eq!(bad(&TokenRow { grant: unreadable, ..row.clone() }, &minted, 0), Some(Bad::Unreadable));
    }

    #[test]
    fn an_agents_token_is_good_for_good_once_it_was_used_within_its_five_minutes() {
        let minted = Minted::new(Kind::Agent).unwrap();
        let fresh = agent(&minted);
        let first = judge(&fresh, minted.hash(), Micros(4 * MINUTE)).unwrap();
        assert!(first.is_first_use);
        assert_eq!(first.expires_at, None);
        assert_eq!(first.principal.reach, Reach::server(SERVER));
        assert_eq!(first.principal.rights, Rights::NONE.and(Right::Ingest));
        assert_eq!(bad(&fresh, &minted, 5), Some(Bad::NotActivated));
        let used = TokenRow { activated_at: Some(Micros(1)), ..fresh.clone() };
        assert!(!judge(&used, minted.hash(), Micros(500 * MINUTE)).unwrap().is_first_use);
        let mut deactivated = used;
        deactivated.agent.as_mut().unwrap().is_active = false;
        assert_eq!(bad(&deactivated, &minted, 0), Some(Bad::Deactivated));
    }
}

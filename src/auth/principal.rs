//! Who was recognized, what they may do, and to which servers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use super::access::{Access, Right};
use crate::model::{Reach, UserId, Whom, Whose};

/// A caller. Plain data, shared by the requests of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub who: Who,
    pub rights: Rights,
    pub reach: Reach,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody showed anything, and the settings let nobody in.
    Anyone,
    /// Signed in, by a cookie or by an access token.
    User { id: UserId, name: Arc<str>, role: Option<Role> },
    /// An agent or endpoint, by its own token.
    Agent { id: i32, name: Arc<str>, server: Uuid, owner: Option<UserId> },
    /// A program, by a token that a person made for it.
    Token { id: i64, by: Option<UserId> },
    /// A sender that knows the secret that requests are signed with.
    Signer,
}

/// What a person may do to the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Viewer,
    Editor,
    Admin,
}

/// Some of the rights there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    pub const NONE: Self = Self(0);
    pub const ALL: Self =
        Self::NONE.and(Right::Ingest).and(Right::Read).and(Right::Observe).and(Right::Change).and(Right::Administer);

    #[must_use]
    pub const fn and(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    pub const fn contain(self, right: Right) -> bool {
        self.0 & 1 << right as u8 != 0
    }

    /// Those with these names; `None` when one of them is not a right's.
    pub fn parse(names: &[impl AsRef<str>]) -> Option<Self> {
        names.iter().try_fold(Self::NONE, |rights, name| Some(rights.and(Right::parse(name.as_ref())?)))
    }

    pub fn names(self) -> Vec<&'static str> {
        Right::EVERY.into_iter().filter(|right| self.contain(*right)).map(Right::name).collect()
    }

    /// Those that both have.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Role {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Admin].into_iter().find(|role| role.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// What a person of this role may do; without one, only to servers of their own.
    pub const fn rights(role: Option<Self>) -> Rights {
        match role {
            Some(Self::Admin) => Rights::ALL,
            Some(Self::Editor) => {
                Rights::NONE.and(Right::Ingest).and(Right::Read).and(Right::Observe).and(Right::Change)
            }
            Some(Self::Viewer) => Rights::NONE.and(Right::Read).and(Right::Observe),
            None => Rights::NONE.and(Right::Read).and(Right::Change),
        }
    }
}

impl Principal {
    /// A person.
    pub fn user(id: UserId, name: Arc<str>, role: Option<Role>) -> Self {
        let whose = match role {
            Some(Role::Admin) => Whose::Everyones,
            _ => Whose::Some { fleet: role.is_some(), owner: Some(id) },
        };
        Self { who: Who::User { id, name, role }, rights: Role::rights(role), reach: Reach::of(whose) }
    }

    /// Whoever comes without showing anything, where the settings allow it.
    pub fn anyone(rights: Rights, reach: Reach) -> Self {
        Self { who: Who::Anyone, rights, reach }
    }

    /// Anyone, where everything is open to everybody.
    pub fn everybody() -> Self {
        Self::anyone(Rights::ALL, Reach::everything())
    }

    pub fn may(&self, access: Access) -> bool {
        match access {
            Access::Open => true,
            Access::Person => matches!(self.who, Who::User { .. }),
            Access::Own(right) => matches!(self.who, Who::User { .. }) || self.rights.contain(right),
            Access::Signed => self.rights.contain(Right::Ingest),
            Access::Needs(right) => self.rights.contain(right),
        }
    }

    /// Which servers are meant where it names hosts: an agent's is its own, whatever it is called.
    pub fn whom(&self) -> Whom<'_> {
        match self.who {
            Who::Agent { server, .. } => Whom::Server(server),
            _ => Whom::Hosts(&self.reach),
        }
    }

    /// Who it is, for logs and the audit: never a secret.
    pub fn label(&self) -> String {
        match &self.who {
            Who::Anyone => "anyone".to_owned(),
            Who::User { id, name, .. } => format!("user {} ({name})", id.0),
            Who::Agent { id, name, .. } => format!("agent {id} ({name})"),
            Who::Token { id, .. } => format!("token {id}"),
            Who::Signer => "signer".to_owned(),
        }
    }

    /// The person who asks, or on whose behalf a program does.
    pub fn person(&self) -> Option<UserId> {
        match self.who {
            Who::User { id, .. } | Who::Token { by: Some(id), .. } => Some(id),
            _ => None,
        }
    }

    /// A sender whose signature has not been looked at: it may send, but nowhere.
    pub(super) fn unproven_signer() -> Self {
        let nowhere = Reach::fleet().only(BTreeSet::new());
        Self { who: Who::Signer, rights: Rights::NONE.and(Right::Ingest), reach: nowhere }
    }

    /// A sender whose signature is right.
    pub(super) fn signer() -> Self {
        Self { reach: Reach::fleet(), ..Self::unproven_signer() }
    }

    pub fn user_id(&self) -> Option<UserId> {
        match self.who {
            Who::User { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// What a request shows of its sender, as it came. Never printed.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// `X-Agent-Token`.
    pub agent_token: Option<&'a str>,
    /// The token of `Authorization: Bearer` or `Token`, the password of `Basic`, `X-API-Key`, or what else carries one.
    pub token: Option<&'a str>,
    /// The session cookie.
    pub cookie: Option<&'a str>,
    /// `X-Agent-Signature` and `X-Agent-Timestamp`: checked against the body by whoever reads it.
    pub is_signed: bool,
    pub address: IpAddr,
}

impl Presented<'_> {
    pub fn is_nothing(&self) -> bool {
        self.agent_token.is_none() && self.token.is_none() && self.cookie.is_none() && !self.is_signed
    }
}

/// The same, to be shown again later. Never printed.
#[derive(Clone)]
pub struct Credentials {
    agent_token: Option<Box<str>>,
    token: Option<Box<str>>,
    cookie: Option<Box<str>>,
    is_signed: bool,
    address: IpAddr,
}

impl Presented<'_> {
    pub fn kept(&self) -> Credentials {
        Credentials {
            agent_token: self.agent_token.map(Into::into),
            token: self.token.map(Into::into),
            cookie: self.cookie.map(Into::into),
            is_signed: self.is_signed,
            address: self.address,
        }
    }
}

impl Credentials {
    pub fn presented(&self) -> Presented<'_> {
        Presented {
            agent_token: self.agent_token.as_deref(),
            token: self.token.as_deref(),
            cookie: self.cookie.as_deref(),
            is_signed: self.is_signed,
            address: self.address,
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.presented().fmt(out)
    }
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Presented").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_below_it_may_and_more() {
        let every = [Right::Ingest, Right::Read, Right::Observe, Right::Change, Right::Administer];
        let of = |role| every.into_iter().filter(|right| Role::rights(role).contain(*right)).collect::<Vec<_>>();
        assert_eq!(of(Some(Role::Viewer)), [Right::Read, Right::Observe]);
        assert_eq!(of(Some(Role::Editor)), [Right::Ingest, Right::Read, Right::Observe, Right::Change]);
        assert_eq!(of(Some(Role::Admin)), every);
        assert_eq!(of(None), [Right::Read, Right::Change], "of servers of their own");
    }

    #[test]
    fn what_was_shown_is_never_printed() {
        let shown = Presented {
            agent_token: Some("hunter2"),
            token: Some("hunter2"),
            cookie: Some("hunter2"),
            is_signed: false,
            address: IpAddr::from([127, 0, 0, 1]),
        };
        assert!(!format!("{shown:?}").contains("hunter2"));
        assert!(!format!("{:?}", shown.kept()).contains("hunter2"));
    }
}

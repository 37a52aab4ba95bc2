//! Whose servers a caller may see and write to. Every question to the catalog and the store carries one.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::series::Labels;

/// A person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// What a server is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belonging {
    /// The person it belongs to; without one it belongs to the fleet.
    pub owner: Option<UserId>,
    pub labels: Labels,
}

/// The servers that a caller may see: those of `whose`, as far as they are among `servers` and have all of `labels`.
///
/// Has no default on purpose: who asks for less than everything must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    pub whose: Whose,
    /// `None` does not restrict.
    pub servers: Option<Arc<BTreeSet<Uuid>>>,
    pub labels: Labels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The fleet's and every person's.
    Everyones,
    /// The fleet's, those of one person, or both.
    Some { fleet: bool, owner: Option<UserId> },
}

/// Which servers are meant where host names stand for them.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// The fleet's, as far as they can be reached. Names that are new are registered for those who reach all of it.
    Hosts(&'a Reach),
    /// This one, whatever the host is called: agents speak for their own server only.
    Server(Uuid),
}

impl Reach {
    /// No restriction at all: for administrators, and for what the server does by itself.
    pub fn everything() -> Self {
        Self::of(Whose::Everyones)
    }

    pub fn fleet() -> Self {
        Self::of(Whose::Some { fleet: true, owner: None })
    }

    pub fn of(whose: Whose) -> Self {
        Self { whose, servers: None, labels: Labels::default() }
    }

    /// One server, whoever it belongs to.
    pub fn server(id: Uuid) -> Self {
        Self::everything().only(BTreeSet::from([id]))
    }

    /// Those of them that are among `servers` too.
    #[must_use]
    pub fn only(self, servers: BTreeSet<Uuid>) -> Self {
        let servers = match self.servers {
            Some(before) => before.intersection(&servers).copied().collect(),
            None => servers,
        };
        Self { servers: Some(Arc::new(servers)), ..self }
    }

    pub fn is_everything(&self) -> bool {
        self.whose == Whose::Everyones && self.servers.is_none() && self.labels.is_empty()
    }

    /// Whether every server of the fleet is in it, those included that are yet to come: only then may one be added.
    pub fn is_whole_fleet(&self) -> bool {
        let has_fleet = !matches!(self.whose, Whose::Some { fleet: false, .. });
        has_fleet && self.servers.is_none() && self.labels.is_empty()
    }

    pub fn covers(&self, id: Uuid, belonging: &Belonging) -> bool {
        let is_theirs = match (self.whose, belonging.owner) {
            (Whose::Everyones, _) => true,
            (Whose::Some { fleet, .. }, None) => fleet,
            (Whose::Some { owner, .. }, Some(of)) => owner == Some(of),
        };
        is_theirs
            && self.servers.as_ref().is_none_or(|servers| servers.contains(&id))
            && self.labels.iter().all(|(name, value)| belonging.labels.get(name) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()).unwrap()
    }

    fn of(owner: Option<UserId>) -> Belonging {
        Belonging { owner, labels: labels(&[("env", "prod"), ("rack", "7")]) }
    }

    #[test]
    fn a_person_sees_their_own_servers_and_with_a_role_the_fleets() {
        let id = Uuid::from_u128(1);
        let own = Reach::of(Whose::Some { fleet: false, owner: Some(ANN) });
        assert!(own.covers(id, &of(Some(ANN))));
        assert!(!own.covers(id, &of(Some(BOB))) && !own.covers(id, &of(None)));
        let viewer = Reach::of(Whose::Some { fleet: true, owner: Some(ANN) });
        assert!(viewer.covers(id, &of(Some(ANN))) && viewer.covers(id, &of(None)));
        assert!(!viewer.covers(id, &of(Some(BOB))));
        assert!(Reach::everything().covers(id, &of(Some(BOB))));
        assert!(!Reach::fleet().covers(id, &of(Some(ANN))));
    }

    #[test]
    fn servers_are_added_by_those_who_reach_the_whole_fleet() {
        let owner = Some(ANN);
        assert!(Reach::everything().is_whole_fleet() && Reach::fleet().is_whole_fleet());
        assert!(Reach::of(Whose::Some { fleet: true, owner }).is_whole_fleet());
        assert!(!Reach::of(Whose::Some { fleet: false, owner }).is_whole_fleet());
        assert!(!Reach::server(Uuid::from_u128(1)).is_whole_fleet());
        assert!(!Reach { labels: labels(&[("env", "prod")]), ..Reach::fleet() }.is_whole_fleet());
    }

    #[test]
    fn a_scope_only_ever_takes_away() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let scoped = Reach::fleet().only(BTreeSet::from([one]));
        assert!(scoped.covers(one, &of(None)) && !scoped.covers(two, &of(None)));
        assert!(!scoped.covers(one, &of(Some(ANN))), "not the fleet's");
        let none = scoped.clone().only(BTreeSet::from([two]));
        assert!(!none.covers(one, &of(None)) && !none.covers(two, &of(None)));
        let labelled = Reach { labels: labels(&[("env", "prod")]), ..scoped };
        assert!(labelled.covers(one, &of(None)));
        assert!(!labelled.covers(one, &Belonging::default()), "without the label");
    }
}

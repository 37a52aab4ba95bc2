//! From a token to whoever shows it, as PostgreSQL says at this moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::access::Right;
use super::principal::{Principal, Rights, Role, Who};
use crate::clock::Clock;
use crate::model::Reach;
use crate::store::tokens::{self, Bearer, TokenRow};
use crate::store::{Database, StoreError};

/// Where tokens are looked up.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
}

impl Lookup {
    /// Whoever shows this token; `None` when it is none, or not good any more.
    pub(super) async fn by_token(&self, token: &str) -> Result<Option<Arc<Principal>>, StoreError> {
        let hash = Sha256::digest(token.as_bytes());
        let found = tokens::find(&self.database.client().await?, &hash, self.clock.now()).await?;
        Ok(found.map(principal).map(Arc::new))
    }
}

/// A token may never more than who made it.
fn principal(row: TokenRow) -> Principal {
    let TokenRow { id, bearer, rights, servers, labels } = row;
    let (maker, limits) = match bearer {
        Bearer::Agent { id, name, server, owner } => {
            let who = Who::Agent { id, name: name.into(), server, owner };
            return Principal { who, rights: Rights::NONE.and(Right::Ingest), reach: Reach::server(server) };
        }
        Bearer::Maker { id, role } => {
            let role = role.as_deref().and_then(Role::parse);
            (Some(id), Principal::user(id, "".into(), role))
        }
        Bearer::Nobody => (None, Principal::anyone(Rights::ALL, Reach::fleet())),
    };
    let named = rights.iter().filter_map(|name| Right::parse(name)).fold(Rights::NONE, Rights::and);
    let reach = match servers {
        Some(servers) => limits.reach.only(BTreeSet::from_iter(servers)),
        None => limits.reach,
    };
    let who = Who::Token { id, by: maker };
    Principal { who, rights: named.within(limits.rights), reach: Reach { labels, ..reach } }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{Labels, UserId, Whose};

    fn row(bearer: Bearer) -> TokenRow {
        let rights = ["ingest", "read", "observe", "change", "administer"].map(str::to_owned).to_vec();
        TokenRow { id: 1, bearer, rights, servers: None, labels: Labels::default() }
    }

    #[test]
    fn a_token_may_never_more_than_who_made_it() {
        let by = |role: Option<&str>| principal(row(Bearer::Maker { id: UserId(7), role: role.map(str::to_owned) }));
        assert_eq!(by(Some("viewer")).rights, Role::rights(Some(Role::Viewer)));
        assert_eq!(by(None).reach, Reach::of(Whose::Some { fleet: false, owner: Some(UserId(7)) }));
        assert_eq!(by(Some("admin")).reach, Reach::everything());
        let scoped = TokenRow { servers: Some(vec![Uuid::nil()]), ..row(Bearer::Nobody) };
        assert_eq!(principal(scoped).reach, Reach::fleet().only(BTreeSet::from([Uuid::nil()])));
    }

    #[test]
    fn an_agent_may_send_what_is_of_its_server() {
        let agent = Bearer::Agent { id: 3, name: "laptop".to_owned(), server: Uuid::nil(), owner: Some(UserId(7)) };
        let agent = principal(row(agent));
        assert_eq!(agent.rights, Rights::NONE.and(Right::Ingest));
        assert_eq!(agent.reach, Reach::server(Uuid::nil()));
    }
}

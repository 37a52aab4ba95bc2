//! Refresh tokens against a naive model: whatever is done in whatever order, a used one ends its family and no other.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use millrace::auth::keys::Keys;
use millrace::auth::people::{People, PeopleConfig, Registering, Tokens};
use millrace::clock::{Clock, SystemClock};
use millrace::store::Database;
use millrace::store::database::PoolConfig;
use millrace::store::migrations::migrate;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{PASSWORD, SECRET};
use crate::harness::TestDatabase;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn,
    /// With one of the tokens there are, used or not.
    Refresh(prop::sample::Index),
    SignOut(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::SignIn),
        6 => any::<prop::sample::Index>().prop_map(Step::Refresh),
        1 => any::<prop::sample::Index>().prop_map(Step::SignOut),
    ];
    prop::collection::vec(step, 1..14)
}

/// What is known of the tokens: to which family each belongs, and which were used; and which families ended.
#[derive(Default)]
struct Model {
    tokens: Vec<(Tokens, usize, bool)>,
    has_ended: Vec<bool>,
}

impl Model {
    async fn take(&mut self, people: &People, step: Step) {
        match step {
            Step::SignIn => {
                self.has_ended.push(false);
                let family = self.has_ended.len() - 1;
                self.tokens.push((people.sign_in_program(("bob", PASSWORD), HERE).await.unwrap(), family, false));
            }
            _ if self.tokens.is_empty() => {}
            Step::Refresh(index) => {
                let place = index.index(self.tokens.len());
                let (tokens, family, was_used) = &mut self.tokens[place];
                let (family, is_good) = (*family, !*was_used && !self.has_ended[*family]);
                let refreshed = people.refresh(&tokens.refresh, HERE).await;
                assert_eq!(refreshed.is_ok(), is_good, "{refreshed:?}");
                *was_used = true;
                self.has_ended[family] |= !is_good;
                self.tokens.extend(refreshed.ok().map(|tokens| (tokens, family, false)));
            }
            Step::SignOut(index) => {
                let (tokens, family, _) = &self.tokens[index.index(self.tokens.len())];
                people.sign_out_program(&tokens.refresh, HERE).await.unwrap();
                self.has_ended[*family] = true;
            }
        }
    }

    /// An access token is worth as much as what is left of its family.
    async fn check(&self, people: &People) {
        for (tokens, family, _) in &self.tokens {
            let is_known = people.by_access_token(&tokens.access).await.unwrap().is_some();
            assert_eq!(is_known, !self.has_ended[*family]);
        }
    }
}

#[test]
fn a_refresh_token_that_comes_again_ends_its_family_and_no_other_whatever_comes_when() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_database, people) = runtime.block_on(async {
        let test = TestDatabase::create().await;
        let database = Database::new(test.config(), PoolConfig::default()).unwrap();
        migrate(&database).await.unwrap();
        let keys = Keys::new(SECRET.as_bytes());
        let config =
            PeopleConfig { keys, is_registration_open: true, password_checks_max: 2, has_secure_cookies: true };
        let people = People::new(config, database, Arc::new(SystemClock) as Arc<dyn Clock>);
        let new = Registering { username: Some("bob"), email: None, password: PASSWORD, invite: None };
        people.register(new, HERE).await.unwrap();
        (test, people)
    });
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let mut model = Model::default();
            for step in steps {
                model.take(&people, step).await;
                model.check(&people).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

//! Every question that is answered with data, asked by all sorts of callers about a world made at random: each is told of
//! exactly the servers that a naive model says it may see.

use std::collections::BTreeSet;

use hyper::Method;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ask, get, is_taken, start};
use crate::harness::TestServer;
use crate::harness::callers::{Callers, RIGHTS, Scope};

const WORLDS: usize = 2;
const ROLES: [Option<&str>; 4] = [None, Some("viewer"), Some("editor"), Some("admin")];
const LABELS: [(&str, &str); 3] = [("env", "prod"), ("env", "test"), ("rack", "7")];

/// Places of users, servers and labels in their lists.
#[derive(Clone, Debug)]
struct World {
    roles: Vec<Option<&'static str>>,
    /// Owner and labels.
    servers: Vec<(Option<usize>, Vec<usize>)>,
    /// Maker, servers and labels it is limited to.
    tokens: Vec<(usize, Option<Vec<usize>>, Vec<usize>)>,
}

fn world() -> impl Strategy<Value = World> {
    let labels = || prop::collection::vec(0..LABELS.len(), 0..3);
    (
        prop::collection::vec(prop::sample::select(ROLES.to_vec()), 4),
        prop::collection::vec((prop::option::of(0..4_usize), labels()), 8),
        prop::collection::vec((0..4_usize, prop::option::of(prop::collection::vec(0..8_usize, 0..4)), labels()), 6),
    )
        .prop_map(|(roles, servers, mut tokens)| {
            tokens.extend((0..4).map(|maker| (maker, None, Vec::new())));
            World { roles, servers, tokens }
        })
}

/// As they are stored: of two values for one name the later.
fn labels(places: &[usize]) -> serde_json::Map<String, Value> {
    places.iter().map(|place| (LABELS[*place].0.to_owned(), LABELS[*place].1.into())).collect()
}

impl World {
    /// Who may see what, said as plainly as it can be.
    fn may_see(&self, (maker, servers, wanted): &(usize, Option<Vec<usize>>, Vec<usize>), server: usize) -> bool {
        let (owner, has) = (self.servers[server].0, labels(&self.servers[server].1));
        let role = self.roles[*maker];
        let by_owner = role == Some("admin") || owner == Some(*maker) || (owner.is_none() && role.is_some());
        let by_id = servers.as_ref().is_none_or(|servers| servers.contains(&server));
        let by_labels = labels(wanted).iter().all(|(name, value)| has.get(name) == Some(value));
        by_owner && by_id && by_labels
    }
}

/// The servers of a world as they are stored, with a job each.
struct Stored {
    ids: Vec<Uuid>,
    keys: Vec<i32>,
    jobs: Vec<Uuid>,
}

impl Stored {
    async fn of(world: &World, users: &[i64], callers: &Callers) -> Self {
        let mut stored = Self { ids: Vec::new(), keys: Vec::new(), jobs: Vec::new() };
        for (place, (owner, has)) in world.servers.iter().enumerate() {
            let has = (!has.is_empty()).then(|| Value::Object(labels(has)));
            // A name of its own in every world: that of the owner's list of names.
            let hostname = format!("{}-{place}", users[0]);
            let id = callers.server(owner.map(|owner| users[owner]), &hostname, has).await;
            let key = callers.client.query_one("SELECT key FROM servers WHERE id = $1", &[&id]).await.unwrap();
            let key: i32 = key.get(0);
            for sql in [
                "INSERT INTO documents (server, kind, taken_at, body) VALUES ($1, 'host', now(), '{}')",
                "INSERT INTO events (server, at, kind, severity, title, attributes)
                 VALUES ($1, now(), 'a', 'info', '', '{}')",
                "INSERT INTO logs (server, at, source, level, message) VALUES ($1, now(), 'a', 'info', '')",
                "INSERT INTO snapshots (server, kind, taken_at, body) VALUES ($1, 'processes', now(), '[]')",
                "INSERT INTO port_checks (server, name, host, port, protocol) VALUES ($1, 'a', 'h', 1, 'tcp')",
            ] {
                callers.client.execute(sql, &[&key]).await.unwrap();
            }
            let job = "INSERT INTO cron_jobs (server, name, schedule, command) VALUES ($1, 'a', '', '') RETURNING id";
            let job: Uuid = callers.client.query_one(job, &[&key]).await.unwrap().get(0);
            let run = "INSERT INTO cron_results (job, success, duration_ms, output, ran_at)
                VALUES ($1, true, 1, '', now())";
            callers.client.execute(run, &[&job]).await.unwrap();
            stored.ids.push(id);
            stored.keys.push(key);
            stored.jobs.push(job);
        }
        stored
    }
}

/// Every id of a server anywhere in an answer.
fn named(answer: &str, ids: &[Uuid]) -> BTreeSet<usize> {
    (0..ids.len()).filter(|place| answer.contains(&ids[*place].to_string())).collect()
}

/// The questions about all servers.
const OF_ALL: [&str; 9] = [
    "/api/v1/servers",
    "/api/v1/series",
    "/api/v1/latest",
    "/api/v1/metrics?limit=1000",
    "/api/v1/metrics?from=2025-12-31T00:00:00Z&to=2026-01-02T00:00:00Z&step=1d&group_by=server",
    "/api/v1/metrics?format=csv",
    "/api/v1/export",
    "/api/v1/events",
    "/api/v1/logs",
];

async fn check(server: &TestServer, token: &str, stored: &Stored, visible: &BTreeSet<usize>, world: &World) {
    let all: Vec<String> = stored.ids.iter().map(Uuid::to_string).collect();
    for path in OF_ALL {
        let answer = get(server, token, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(&named(answer.text(), &stored.ids), visible, "{path} of {world:?}");
        // Asking for a server by its id does not help.
        let joint = if path.contains('?') { '&' } else { '?' };
        let answer = get(server, token, &format!("{path}{joint}server_id={}", all.join(","))).await;
        assert_eq!(&named(answer.text(), &stored.ids), visible, "{path} by id of {world:?}");
    }
    for (place, id) in stored.ids.iter().enumerate() {
        let is_visible = visible.contains(&place);
        for (path, is_there) in [
            (format!("/api/v1/servers/{id}"), "hostname"),
            (format!("/api/v1/documents?server_id={id}"), "\"kind\""),
            (format!("/api/v1/processes?server_id={id}"), "\"processes\""),
            (format!("/api/v1/cron/jobs?server_id={id}"), "schedule"),
            (format!("/api/v1/ports/checks?server_id={id}"), "protocol"),
            (format!("/api/v1/cron/results?job_id={}", stored.jobs[place]), "success"),
            (
                format!("/history/{}/cpu?start=2025-12-31T00:00:00Z&stop=2026-01-02T00:00:00Z", stored.keys[place]),
                "\"value\"",
            ),
        ] {
            // Servers of persons have no number of their own but that of their agent, and these have none.
            let is_visible = is_visible && (world.servers[place].0.is_none() || !path.starts_with("/history"));
            let answer = get(server, token, &path).await;
            assert_eq!(answer.text().contains(is_there), is_visible, "{path} of {world:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn everyone_is_told_of_the_servers_they_may_see_and_of_no_others_whatever_they_ask() {
    let (server, callers) = start().await;
    let admin = callers.token_of(callers.user("admin", Some("admin")).await).await;
    let mut runner = TestRunner::default();
    for number in 0..WORLDS {
        let world = world().new_tree(&mut runner).unwrap().current();
        let mut users = Vec::new();
        for (place, role) in world.roles.iter().enumerate() {
            users.push(callers.user(&format!("{number}-{place}"), *role).await);
        }
        // The months of events and logs are there before anything is added by hand.
        let stored = Stored::of(&world, &users, &callers).await;
        for (place, id) in stored.ids.iter().enumerate() {
            let body = super::sample(&id.to_string(), "usage_percent", place as f64).to_string();
            assert_eq!(ask(&server, &admin, Method::POST, "/api/v1/ingest", &body).await.status, 200);
        }
        for token in &world.tokens {
            let (maker, servers, wanted) = token;
            let scope = Scope {
                servers: servers.as_ref().map(|servers| servers.iter().map(|place| stored.ids[*place]).collect()),
                labels: (!wanted.is_empty()).then(|| json!(labels(wanted))),
            };
            let shown = callers.token(Some(users[*maker]), &RIGHTS, &scope).await;
            let visible = (0..stored.ids.len()).filter(|place| world.may_see(token, *place)).collect();
            // Of the worlds before only their own servers are looked at: the fleet's are there as well.
            check(&server, &shown, &stored, &visible, &world).await;
            if matches!(world.roles[*maker], Some("editor" | "admin")) {
                for (place, id) in stored.ids.iter().enumerate() {
                    let taken = is_taken(&server, &shown, &id.to_string(), place as f64).await;
                    assert_eq!(taken, visible.contains(&place), "sending to {place} of {world:?}");
                }
            }
        }
    }
    server.stop().await.unwrap();
}

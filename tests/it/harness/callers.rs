//! Callers of every kind, put into the database as the parts of the server that make them would.

use millrace::auth::Minted;
use millrace::auth::minted::Kind;
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{TestDatabase, identity};

/// Every right there is, by name.
pub(crate) const RIGHTS: [&str; 5] = ["ingest", "read", "observe", "change", "administer"];

pub(crate) struct Callers {
    pub(crate) client: Client,
}

/// What a token is limited to beside its rights.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) servers: Option<Vec<Uuid>>,
    pub(crate) labels: Option<Value>,
}

impl Callers {
    pub(crate) async fn of(database: &TestDatabase) -> Self {
        Self { client: database.connect().await }
    }

    /// A person who can sign in.
    pub(crate) async fn user(&self, name: &str, role: Option<&str>) -> i64 {
        identity::person(&self.client, name, role).await
    }

    /// What a person shows who may all that their role allows.
    pub(crate) async fn token_of(&self, user: i64) -> String {
        self.token(Some(user), &RIGHTS, &Scope::default()).await
    }

    /// A token that a person made for a program.
    pub(crate) async fn token(&self, maker: Option<i64>, rights: &[&str], scope: &Scope) -> String {
        let token = fresh(Kind::Api);
        let insert = "INSERT INTO tokens (hash, created_by, name, rights, servers, labels, created_at)
            VALUES (sha256(convert_to($1, 'UTF8')), $2, '', $3, $4, $5, now())";
        let rights: Vec<&str> = rights.to_vec();
        self.client.execute(insert, &[&token, &maker, &rights, &scope.servers, &scope.labels]).await.unwrap();
        token
    }

    /// A server that belongs to a person, or to the fleet.
    pub(crate) async fn server(&self, owner: Option<i64>, hostname: &str, labels: Option<Value>) -> Uuid {
        let insert = "INSERT INTO servers (hostname, ip_address, owner, labels) VALUES ($1, '10.0.0.1', $2, $3)
            RETURNING id";
        self.client.query_one(insert, &[&hostname, &owner, &labels]).await.unwrap().get(0)
    }

    /// The agent of a server: its number and its token.
    pub(crate) async fn agent(&self, server: Uuid) -> (i32, String) {
        let token = fresh(Kind::Agent);
        let insert = "WITH agent AS (
                INSERT INTO agents (server, owner, name, created_at)
                SELECT key, owner, hostname, now() FROM servers WHERE id = $1 RETURNING id),
            token AS (
                INSERT INTO tokens (hash, agent, name, rights, created_at, activated_at)
                SELECT sha256(convert_to($2, 'UTF8')), id, '', '{ingest}', now(), now() FROM agent)
            SELECT id FROM agent";
        (self.client.query_one(insert, &[&server, &token]).await.unwrap().get(0), token)
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let update = "UPDATE tokens SET revoked_at = now() WHERE hash = sha256(convert_to($1, 'UTF8'))";
        assert_eq!(self.client.execute(update, &[&token]).await.unwrap(), 1);
    }

    pub(crate) async fn expire(&self, token: &str) {
        let update = "UPDATE tokens SET expires_at = '2020-01-01Z' WHERE hash = sha256(convert_to($1, 'UTF8'))";
        assert_eq!(self.client.execute(update, &[&token]).await.unwrap(), 1);
    }

    pub(crate) async fn hand_over(&self, server: Uuid, owner: Option<i64>) {
        let update = "UPDATE servers SET owner = $2 WHERE id = $1";
        assert_eq!(self.client.execute(update, &[&server, &owner]).await.unwrap(), 1);
    }
}

fn fresh(kind: Kind) -> String {
    Minted::new(kind).unwrap().reveal().to_owned()
}

//! People and tokens as rows, for tests of who may do what.

use millrace::auth::Minted;
use millrace::auth::minted::Kind;
use tokio_postgres::Client;

/// A person without a password, who cannot sign in but may have tokens. Answers the number.
pub(crate) async fn person(database: &Client, name: &str, role: Option<&str>) -> i64 {
    let insert = "INSERT INTO users (username, password_hash, role) VALUES ($1, '', $2) RETURNING id";
    database.query_one(insert, &[&name, &role]).await.unwrap().get(0)
}

/// A token for a program, with these rights, on behalf of a person or of nobody.
pub(crate) async fn token(database: &Client, by: Option<i64>, rights: &[&str]) -> String {
    let minted = Minted::new(Kind::Api).unwrap();
    let insert = "INSERT INTO tokens (hash, created_by, name, rights, created_at) VALUES ($1, $2, 'test', $3, now())";
    database.execute(insert, &[&minted.hash().as_bytes(), &by, &rights]).await.unwrap();
    minted.reveal().to_owned()
}

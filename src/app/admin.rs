//! What an operator does about people, beside a running server or without one. What a server would write down is written
//! down here too.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Failure, people, verify};
use crate::auth::people::{Change, Created, NewPassword};
use crate::auth::{Actor, People, PeopleError, Role};
use crate::cli::Admin;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Database, migrations, users};

/// People read at one time.
const PAGE_MAX: i64 = 1_000;

/// Does it, and answers what there is to print. A password that was made up is in it, and nowhere else.
///
/// # Errors
/// When the database cannot be reached, or something is not allowed.
pub async fn administer(
    config: &Config,
    clock: Arc<dyn Clock>,
    task: &Admin,
    password: Option<&str>,
) -> Result<String, Failure> {
    let (database, cluster) = verify::reach(config).await?;
    let done = done(config, &database, &clock, (task, password)).await;
    database.close();
    if let Some(cluster) = cluster {
        cluster.stop(verify::STOP_DEADLINE).await?;
    }
    done
}

async fn done(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
    (task, password): (&Admin, Option<&str>),
) -> Result<String, Failure> {
    migrations::migrate(database).await?;
    let people = people::without_keys(config, database, clock)?;
    match task {
        Admin::CreateUser { email, username, role, .. } => {
            let role = match role.as_deref() {
                Some(name) => Some(Role::parse(name).ok_or("a role is admin, editor or viewer")?),
                None => None,
            };
            let names = (username.as_deref(), email.as_deref());
            Ok(told(&people.create(names, password, role, &Actor::operator()).await?))
        }
        Admin::ResetPassword { login, .. } => reset(database, &people, login, password).await,
        Admin::ListUsers(_) => list(database).await,
    }
}

async fn reset(database: &Database, people: &People, login: &str, password: Option<&str>) -> Result<String, Failure> {
    let email = login.to_ascii_lowercase();
    let user = users::by_login(&database.client().await?, login, &email).await?.ok_or(PeopleError::NoSuchUser)?;
    let password = password.map_or(NewPassword::MadeUp, |password| NewPassword::Given(password.to_owned()));
    let change = Change { password, ..Change::default() };
    Ok(told(&people.change(user.id, change, &Actor::operator()).await?))
}

async fn list(database: &Database) -> Result<String, Failure> {
    let (client, mut after, mut text) = (database.client().await?, 0, String::new());
    loop {
        let page = users::list(&client, after, PAGE_MAX).await?;
        for user in &page {
            let (username, email) = (user.username.as_deref(), user.email.as_deref());
            let role = user.role.as_deref().unwrap_or("none");
            let state = if user.is_active { "active" } else { "disabled" };
            let names = format!("{}\t{}", username.unwrap_or("-"), email.unwrap_or("-"));
            writeln!(text, "{}\t{names}\t{role}\t{state}", user.id.0)?;
        }
        match page.last() {
            Some(last) if page.len() as i64 == PAGE_MAX => after = last.id.0,
            _ => return Ok(text),
        }
    }
}

fn told(created: &Created) -> String {
    let mut text = format!("user {} ({})\n", created.user.id.0, created.user.name());
    if let Some(password) = &created.password {
        text.push_str(&format!("password: {password}\n"));
    }
    text
}

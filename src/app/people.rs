//! Who may sign in: the secret that it rests on, and the first administrator.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::{Failure, plan};
use crate::auth::bootstrap::FirstAdmin;
use crate::auth::keys::{Keys, random_text};
use crate::auth::people::{People, PeopleConfig};
use crate::clock::Clock;
use crate::config::{Anonymous, Config, Mode, Registration};
use crate::store::Database;

/// The secret of development, in the data directory.
const SECRET_FILE: &str = "secret_key";

pub(super) async fn build(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<People>, Failure> {
    let people = of(config, Keys::new(secret(config)?.as_bytes()), database, clock);
    let given = config.people.bootstrap.as_ref().map(|(email, password)| (email.as_str(), password.reveal()));
    // Where everything is open to everybody, everybody can add an administrator.
    if given.is_some() || config.anonymous != Anonymous::Everything {
        match people.first_admin(given).await? {
            FirstAdmin::There => {}
            FirstAdmin::Made(user) => tracing::info!(user.id = user.id.0, "made the first administrator"),
            FirstAdmin::Invited(invite) => tracing::warn!(
                invite.code = invite.code,
                invite.expires_at = %invite.expires_at,
                "there is no administrator yet: whoever registers with this invitation becomes one"
            ),
        }
    }
    Ok(Arc::new(people))
}

/// People for commands that let nobody in.
pub(super) fn without_keys(config: &Config, database: &Database, clock: &Arc<dyn Clock>) -> Result<People, Failure> {
    Ok(of(config, Keys::new(random_text()?.as_bytes()), database, clock))
}

fn of(config: &Config, keys: Keys, database: &Database, clock: &Arc<dyn Clock>) -> People {
    let config = PeopleConfig {
        keys,
        is_registration_open: config.people.registration == Registration::Open,
        password_checks_max: config.people.password_checks_max,
        has_secure_cookies: plan::has_secure_cookies(config),
    };
    People::new(config, database.clone(), Arc::clone(clock))
}

/// The one given; in development one that is made once. Where all is open and none is given, one for this run.
fn secret(config: &Config) -> Result<String, Failure> {
    match (&config.people.secret_key, &config.mode) {
        (Some(secret), _) => Ok(secret.reveal().to_owned()),
        (None, Mode::Dev { data_dir }) => Ok(kept(&data_dir.join(SECRET_FILE))?),
        (None, Mode::Production { .. }) => Ok(random_text()?),
    }
}

fn kept(path: &Path) -> Result<String, Failure> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let secret = random_text()?;
    write_private(path, &secret)?;
    Ok(secret)
}

/// Readable by the owner alone from its first moment on.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_of_development_is_made_once_and_nobody_else_can_read_it() {
        let path = std::env::temp_dir().join(format!("millrace-secret-{}", std::process::id()));
        let (first, second) = (kept(&path).unwrap(), kept(&path).unwrap());
        assert!(first == second && first.len() == 43, "{} letters", first.len());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&path).unwrap();
    }
}

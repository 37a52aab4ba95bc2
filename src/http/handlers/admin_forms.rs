//! `/admin/users`, `/admin/settings`: the forms of one of the source systems. Its pages answer JSON here.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::{Answering, Services, admin_users, output, validation};
use crate::auth::Actor;
use crate::http::{ApiError, Request, Response, response};
use crate::settings::{self, GROUPS, Group, SettingsError};

pub(super) fn add_user(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = validation::form(&services, &mut request).await?;
        let [email, password, role] = validation::form_texts(&form, ["email", "password", "role"])?;
        let role = admin_users::role(Some(&role))?;
        let by = Actor::of(&request.principal, request.peer.ip());
        services.people.create((None, Some(&email)), Some(&password), role, &by).await?;
        Ok(output::redirect("/admin/users"))
    })
}

pub(super) fn settings(services: Arc<Services>, _request: Request) -> Answering {
    Box::pin(async move {
        let mut all = Map::new();
        for group in GROUPS {
            all.insert(group.name().to_owned(), settings::read(&services.database, group).await?.value);
        }
        response::json(StatusCode::OK, &Value::Object(all))
    })
}

/// The form has no version: the last one to send it wins.
pub(super) fn change_settings(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let form = validation::form(&services, &mut request).await?;
        let [text] = validation::form_texts(&form, ["cfg_json"])?;
        let Ok(Value::Object(groups)) = serde_json::from_str(&text) else { return Ok(bad("Invalid JSON")) };
        let by = Actor::of(&request.principal, request.peer.ip());
        let known: Option<Vec<(Group, Value)>> =
            groups.into_iter().map(|(name, value)| Some((Group::parse(&name)?, value))).collect();
        let Some(known) = known else { return Ok(bad("There are no such settings")) };
        for (group, value) in known {
            let now = services.clock.now();
            match settings::write(&services.database, (group, &value), None, &by, now).await {
                Ok(_) => {}
                Err(SettingsError::Invalid(told)) => return Ok(bad(&told)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(output::redirect("/admin/settings"))
    })
}

fn bad(told: &str) -> Response {
    output::page(StatusCode::BAD_REQUEST, "Settings", told)
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Invalid(told) => Self::bad_request("invalid_settings", told),
            SettingsError::Changed { version } => {
                let told = error.to_string();
                Self::conflict("version_changed", told).with_details(vec![json!({ "version": version })])
            }
            SettingsError::Store(error) => error.into(),
        }
    }
}

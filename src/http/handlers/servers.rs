//! `/api/v1/servers`: the machines agents speak for.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Answering, Services, input, output};
use crate::http::{ApiError, Request, response};

use crate::store::servers::{self, Change, Registration, ServerRow};

/// What the source system prints for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Debug, Deserialize)]
struct Registering {
    hostname: Option<String>,
    ip_address: Option<String>,
    os: Option<String>,
    cpu_model: Option<String>,
    total_ram: Option<String>,
    kernel_version: Option<String>,
    uptime: Option<String>,
    labels: Option<Map<String, Value>>,
    agent_version: Option<String>,
}

impl Registering {
    fn checked(self) -> Result<Registration, ApiError> {
        Ok(Registration {
            hostname: input::hostname(self.hostname)?,
            ip_address: ip_address(&input::required("IPAddress", self.ip_address)?)?,
            os: input::optional("os", self.os)?,
            cpu_model: input::optional("cpu_model", self.cpu_model)?,
            total_ram: input::optional("total_ram", self.total_ram)?,
            kernel_version: input::optional("kernel_version", self.kernel_version)?,
            uptime: input::optional("uptime", self.uptime)?,
            labels: input::labels(self.labels)?,
            agent_version: input::optional("agent_version", self.agent_version)?,
        })
    }
}

pub(super) fn register(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let registration = input::json::<Registering>(&services, &mut request).await?.checked()?;
        let row = services.catalog.servers().register(&registration, request.principal.whom()).await?;
        response::json(StatusCode::CREATED, &shown(&services, &row))
    })
}

pub(super) fn list(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let rows = servers::list(&services.database.client().await?, None, &request.principal.reach).await?;
        let shown: Vec<Value> = rows.iter().map(|row| shown(&services, row)).collect();
        response::json(StatusCode::OK, &shown)
    })
}

pub(super) fn get(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = id(&request)?;
        let rows = servers::list(&services.database.client().await?, Some(id), &request.principal.reach).await?;
        let row = rows.first().ok_or_else(|| output::not_registered(id))?;
        response::json(StatusCode::OK, &shown(&services, row))
    })
}

pub(super) fn change(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let id = id(&request)?;
        let change = changes(input::json(&services, &mut request).await?)?;
        let row = services.catalog.servers().change(id, &change, &request.principal.reach).await?;
        let row = row.ok_or_else(|| output::not_registered(id))?;
        response::json(StatusCode::OK, &shown(&services, &row))
    })
}

pub(super) fn delete(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let id = id(&request)?;
        if !services.catalog.delete(id, &request.principal.reach).await? {
            return Err(output::not_registered(id));
        }
        Ok(response::empty(StatusCode::NO_CONTENT))
    })
}

fn id(request: &Request) -> Result<Uuid, ApiError> {
    input::id("id", request.param("id").map(str::to_owned))
}

fn ip_address(text: &str) -> Result<IpAddr, ApiError> {
    // Some agents send the address with its prefix length.
    let bare = text.split_once('/').map_or(text, |(address, _)| address);
    bare.parse().map_err(|_| ApiError::bad_request("invalid_ip_address", "ip_address is not an IP address"))
}

/// Only what is there is changed; `"labels": null` removes the labels.
fn changes(mut body: Map<String, Value>) -> Result<Change, ApiError> {
    let mut change = Change::default();
    for (name, value) in std::mem::take(&mut body) {
        match (name.as_str(), value) {
            ("labels", Value::Null) => change.labels = Some(None),
            ("labels", Value::Object(labels)) => change.labels = Some(input::labels(Some(labels))?),
            ("ip_address", Value::String(text)) => change.ip_address = Some(ip_address(&text)?),
            ("os", Value::String(text)) => change.os = Some(input::checked("os", text)?),
            ("cpu_model", Value::String(text)) => change.cpu_model = Some(input::checked("cpu_model", text)?),
            ("total_ram", Value::String(text)) => change.total_ram = Some(input::checked("total_ram", text)?),
            ("kernel_version", Value::String(text)) => {
                change.kernel_version = Some(input::checked("kernel_version", text)?);
            }
            ("uptime", Value::String(text)) => change.uptime = Some(input::checked("uptime", text)?),
            ("agent_version", Value::String(text)) => {
                change.agent_version = Some(input::checked("agent_version", text)?);
            }
            (name, _) => {
                let message = format!("{} cannot be changed to this", name.chars().take(80).collect::<String>());
                return Err(ApiError::bad_request("invalid_change", message));
            }
        }
    }
    Ok(change)
}

fn shown(services: &Services, row: &ServerRow) -> Value {
    let ServerRow { standing, registration, .. } = row;
    let last_seen = row.last_seen.max(services.catalog.servers().last_seen(standing.id));
    json!({
        "id": standing.id,
        "hostname": registration.hostname,
        "ip_address": registration.ip_address,
        "os": registration.os,
        "cpu_model": registration.cpu_model,
        "total_ram": registration.total_ram,
        "kernel_version": registration.kernel_version,
        "uptime": registration.uptime,
        "labels": registration.labels,
        "agent_version": registration.agent_version,
        "last_seen": last_seen.map_or_else(|| NEVER.to_owned(), |time| time.to_string()),
        "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
    })
}

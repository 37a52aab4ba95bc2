//! Servers of lines that name their host: registered when they are met, with the id the lines give them where that is
//! free.

use std::collections::HashMap;

use uuid::Uuid;

use crate::catalog::{Catalog, RegisterError};
use crate::model::{Intake, Reach, Whom};
use crate::store::StoreError;

/// Hosts that are remembered; at the bound they are forgotten and looked up again.
const HOSTS_MAX: usize = 100_000;
/// DNS allows no longer names.
const HOSTNAME_BYTES_MAX: usize = 255;

/// Whose servers the lines may be of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) reach: &'a Reach,
    pub(super) whom: Whom<'a>,
}

/// What the lines said of servers so far.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// By the id that stands for it in the points until it is settled.
    names: HashMap<Uuid, Host>,
    /// What stands for a host whose lines give no id.
    without_id: HashMap<Box<str>, Uuid>,
}

#[derive(Debug)]
struct Host {
    name: Box<str>,
    has_id: bool,
    /// The id it is registered under.
    settled: Option<Uuid>,
}

impl Hosts {
    pub(super) fn forget_when_full(&mut self) {
        if self.names.len() >= HOSTS_MAX {
            *self = Self::default();
        }
    }

    /// What stands for the server of a line; see [`crate::wire::lines::Naming`].
    pub(super) fn name(&mut self, id: Uuid, hostname: &[u8]) -> Uuid {
        let has_id = !id.is_nil();
        let Some(hostname) = checked(hostname) else { return id };
        let id = match (has_id, self.without_id.get(hostname)) {
            (true, _) => id,
            (false, Some(id)) => *id,
            (false, None) => *self.without_id.entry(hostname.into()).or_insert_with(Uuid::new_v4),
        };
        self.names.entry(id).or_insert_with(|| Host { name: hostname.into(), has_id, settled: None });
        id
    }

    /// Registers those servers of `intake` that nobody has registered yet, and puts their ids in place. What cannot be
    /// registered is refused later, as an unknown server.
    pub(super) async fn settle(&mut self, asking: Asking<'_>, intake: &mut Intake) -> Result<(), StoreError> {
        for place in 0..intake.servers().len() {
            let id = intake.servers()[place];
            let Some(host) = self.names.get_mut(&id) else { continue };
            let settled = match host.settled {
                Some(settled) => settled,
                None => {
                    let settled = registered(asking, id, host).await?;
                    *host.settled.insert(settled)
                }
            };
            intake.replace_server(place, settled);
        }
        Ok(())
    }
}

async fn registered(asking: Asking<'_>, id: Uuid, host: &Host) -> Result<Uuid, StoreError> {
    let Asking { catalog, reach, whom } = asking;
    if host.has_id && catalog.servers().find(&[id], reach).await?.into_iter().flatten().next().is_some() {
        return Ok(id);
    }
    if host.has_id && matches!(whom, Whom::Server(_)) {
        // What says that it is of another server is not put down to one's own.
        return Ok(id);
    }
    match catalog.servers().adopt(id, &host.name, whom).await {
        Ok(id) => Ok(id),
        Err(RegisterError::TooMany { .. } | RegisterError::OutOfReach) => Ok(id),
        Err(RegisterError::Store(error)) => Err(error),
    }
}

/// The name of a host, where the text can be one.
fn checked(hostname: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(hostname).ok()?;
    // A spelling with escapes is not resolved: no host needs them.
    let is_name = name.len() <= HOSTNAME_BYTES_MAX && !name.contains(['\0', '\\', '"']);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_an_id_stands_for_one_server() {
        let mut hosts = Hosts::default();
        let (one, other) = (hosts.name(Uuid::nil(), b"a"), hosts.name(Uuid::nil(), b"b"));
        assert_ne!(one, other);
        assert_eq!(hosts.name(Uuid::nil(), b"a"), one);
        assert_eq!(hosts.name(Uuid::from_u128(7), b"a"), Uuid::from_u128(7));
    }

    #[test]
    fn what_no_host_is_called_names_none() {
        let mut hosts = Hosts::default();
        for hostname in [b"\xff".as_slice(), b"a\\u0041", b"a\0", &[b'a'; 256]] {
            assert!(hosts.name(Uuid::nil(), hostname).is_nil());
        }
    }
}

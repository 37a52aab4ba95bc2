//! Whoever changes something by a request: what they may, and how the audit shows them.

use std::net::IpAddr;

use serde_json::Value;

use super::people::Actor;
use super::principal::Principal;
use crate::model::Micros;
use crate::store::audit::Entry;

#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    pub principal: &'a Principal,
    pub address: IpAddr,
    pub at: Micros,
}

impl Caller<'_> {
    /// What they did. `details` hold no secret.
    pub fn did(&self, action: &str, subject: String, details: Value) -> Entry {
        Actor::of(self.principal, self.address).did(action, subject, details, self.at)
    }
}

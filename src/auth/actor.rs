//! Whoever changes something, as the audit shows them.

use std::net::IpAddr;

use serde_json::Value;

use super::principal::Principal;
use crate::model::Micros;
use crate::store::audit::Entry;

#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub principal: &'a Principal,
    pub address: IpAddr,
    pub at: Micros,
}

impl Actor<'_> {
    /// What they did. `details` hold no secret.
    pub fn did(&self, action: &'static str, subject: String, details: Value) -> Entry {
        Entry {
            at: self.at,
            actor: self.principal.label(),
            user_id: self.principal.person(),
            action,
            subject,
            details,
            address: Some(self.address),
        }
    }
}

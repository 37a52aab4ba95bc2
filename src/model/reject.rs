//! An item that was refused, as it is kept for those who look for the reason.

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use super::{Micros, UserId};

/// Who sent it. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Who it is in words, such as `agent 7 (web-1)`.
    pub name: String,
    pub address: Option<IpAddr>,
    /// The person, or on whose behalf a program sends.
    pub person: Option<UserId>,
    /// The server that it speaks for, where it speaks for one.
    pub server: Option<Uuid>,
    /// Whether it reaches servers of the fleet and no others: then what it sends is about those.
    pub is_of_fleet: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub at: Micros,
    pub sender: Arc<Sender>,
    pub dialect: &'static str,
    /// 0-based position in the request or import; none of a body that was refused as a whole.
    pub item: Option<u64>,
    pub code: &'static str,
    pub message: String,
    /// The beginning of the item as it came, or nothing where it cannot be found.
    pub raw: Vec<u8>,
    /// How long it is in all.
    pub raw_bytes: u64,
}

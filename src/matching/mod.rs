//! Which series someone means, and who means a series: filters, and lists that make a sample cost one look-up however many
//! filters there are. Live push and alerting are built on it. Knows plain data only; must not know who asks or what for.

mod filter; // conditions on the server, the type, the name and the labels
mod anywhere; // groups that name no server
mod routes; // series to the groups that mean them

#[cfg(test)]
pub(crate) mod fixtures;

pub use filter::{Conditions, Filter, FilterError};
pub(crate) use routes::{ENTRIES_MAX, Full, GroupId, Routes};

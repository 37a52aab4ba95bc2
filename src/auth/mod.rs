//! Who is asking, and what they may do. Knows nothing of HTTP: whoever carries the credentials takes them out.

pub mod access; // what a route asks of its callers
pub mod gate; // from credentials to a principal, or a refusal
mod lookup; // tokens
pub mod presence; // who stays after the answer
pub mod principal; // who was recognized, and how far they reach

pub use access::{Access, Right};
pub use gate::{Gate, Refusal};
pub use presence::{Presence, Visit};
pub use principal::{Credentials, Presented, Principal, Rights, Role, Who};

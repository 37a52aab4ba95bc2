//! Who is asking, and what they may do. Knows nothing of HTTP: whoever carries the credentials takes them out.

pub mod access; // what a route asks of its callers
pub mod gate; // from credentials to a principal, or a refusal
pub mod principal; // who was recognized, and how far they reach

pub use access::{Access, Right};
pub use gate::{Gate, Refusal};
pub use principal::{Presented, Principal, Rights, Role, Who};

//! Who is asking, and what they may do. Knows nothing of HTTP: whoever carries the credentials takes them out.

pub mod access; // what a route asks of its callers
pub mod gate; // from credentials to a principal, or a refusal
pub mod principal; // who was recognized, and how far they reach
pub mod keys; // randomness, hashes, signatures
pub mod passwords; // hashing them, a bounded number at one time
pub mod throttle; // how often one may try
pub mod sessions; // what cookies hold
pub mod access_token; // what programs of people show
pub mod people; // who may sign in, and how
pub mod refresh; // the next pair of tokens for the last
pub mod invites; // codes to register with
pub mod bootstrap; // the first administrator

pub use access::{Access, Right};
pub use gate::{Gate, Refusal};
pub use people::{Actor, People, PeopleError, Visitor};
pub use principal::{Presented, Principal, Rights, Role, Who};

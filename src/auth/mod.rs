//! Who is asking, and what they may do. Knows nothing of HTTP: whoever carries the credentials takes them out.

pub mod access; // what a route asks of its callers
pub mod gate; // from credentials to a principal, or a refusal
pub mod presence; // who stays after the answer
pub mod principal; // who was recognized, and how far they reach
pub mod minted; // tokens as they are made
pub mod tokens; // from a token to its principal
pub mod cache; // whom this process knows by their tokens
mod known; // one of them
mod judge; // what a stored token is worth
mod watch; // the one that asks PostgreSQL, and notices revocations
mod uses; // when tokens were used
mod caller; // whoever changes something by a request
pub mod agents; // agents and endpoints: added, given other tokens, removed
pub mod grants; // tokens that people make for their programs
pub mod signature; // requests signed with a common secret
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
pub use cache::Seen;
pub use caller::Caller;
pub use gate::{Gate, Refusal};
pub use judge::Bad;
pub use known::Known;
pub use minted::{Minted, TokenHash};
pub use people::{Actor, People, PeopleError, Visitor};
pub use presence::{Presence, Visit};
pub use principal::{Credentials, Presented, Principal, Rights, Role, Who};
pub use signature::Signatures;
pub use tokens::Tokens;
pub use watch::{Unanswered, Watch};

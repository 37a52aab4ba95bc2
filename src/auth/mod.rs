//! Who is asking, and what they may do. Knows nothing of HTTP: whoever carries the credentials takes them out.

pub mod access; // what a route asks of its callers

pub use access::{Access, Right};

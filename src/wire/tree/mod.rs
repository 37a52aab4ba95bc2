//! A whole JSON document, for dialects whose agents send a tree rather than a list: parsed once, walked at will.
//!
//! - The tree holds places in the body, not copies; what a number or a text is, is read when it is asked for.
//! - Its size is bounded by [`NODES_MAX`], its depth by the grammar.
//! - Of two members with one name, the first is found; both are in the document that is kept.
//!
//! `read` builds it, `view` walks it, `series` finds the series in it.

mod read; // bytes to nodes
pub mod series; // which numbers are series, and of what name
mod view; // nodes to values

pub use read::{Fault, Leniency, NODES_MAX, Tree};
pub use view::Value;

#[cfg(test)]
mod tests;

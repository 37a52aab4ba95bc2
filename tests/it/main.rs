//! Every integration test, in one binary: a topic a module, a harness beside them.

#![expect(clippy::unwrap_used, reason = "all of this binary is a test")]

mod harness; // clusters and databases to test against

mod embedded;

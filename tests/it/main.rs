//! Every integration test, in one binary: a topic a module, a harness beside them.

mod harness; // clusters and databases to test against

mod embedded;

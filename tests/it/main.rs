//! Every integration test, in one binary: a topic a module, a harness beside them.

mod http;

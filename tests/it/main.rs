//! Every integration test, in one binary: a topic a module, a harness beside them.

mod tidy; // the house rules that can be checked

//! Every integration test, in one binary: a topic a module, a harness beside them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod harness; // clusters and databases to test against

mod tidy; // the house rules that can be checked
mod architecture; // what the description names is there
mod embedded; // the local PostgreSQL cluster
mod set_back; // a database that another process went on with
mod schema; // the tables and the statements
mod http; // the front: sockets, bodies, routes, drain
mod journal; // what is acknowledged is there, once and in order
mod catalog; // series and servers, each once and within limits
mod levels; // rows below the journal
mod verify; // the check of all that is stored
mod sql; // samples and buckets as plain SQL sees them
mod fold; // from the journal to recent
mod jobs; // what runs by itself, or when asked
mod seal; // from recent to samples, and on to hours
mod keep; // months ahead, retention behind
mod query; // stored samples, page by page
mod listen; // lines over TCP and UDP
mod live; // WebSocket clients of a whole server
mod serve; // the program as an operator runs it
mod auth; // who is let in, who may do what, and to whose servers
mod people; // who signs in, and who may
mod delivery; // notices on their way to people
mod api; // the API of the source system, and what we added to it
mod alerts; // what is watched, what is found, and who is told
mod nodes; // several servers on one database

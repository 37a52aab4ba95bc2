//! PostgreSQL: the only place that speaks SQL. Plain values in, plain values out.
//!
//! Statements are fixed texts in `sql/queries`; nothing that came in from outside ever becomes part of one. Knows
//! nothing of HTTP, queues, or who asks.

pub mod database; // connections: a pool for everyone, dedicated ones for writers
pub mod error; // what went wrong, and whether trying again helps
pub mod timestamp; // microseconds as timestamptz
pub mod migrations; // the schema and how it gets there
pub mod copy; // rows in PostgreSQL's binary COPY format
pub mod journal; // blocks: the rows they are, and reading them by time
pub mod levels; // what the journal becomes: recent, samples, rollups
pub mod partitions; // tables by month
pub mod transactions; // beginning and ending them
pub mod locks; // who may move data
pub mod jobs; // what jobs say of their runs
pub mod set_aside; // damaged rows, out of the way
pub mod appender; // a writer's own connection, with its COPY prepared
pub mod nodes; // what processes learn of each other
pub mod verify; // what the check of all that is stored reads
pub mod sizes; // how much there is
mod reach; // whose servers a statement is about
pub mod servers; // the machines agents speak for
pub mod series; // what samples belong to
pub mod snapshots; // whole-state documents
pub mod entries; // events and log lines
pub mod rejects; // what was refused
pub mod documents; // how servers are
mod text; // texts from outside
pub mod users; // people who can sign in
pub mod sessions; // browsers that are signed in
pub mod refresh_tokens; // what new access tokens are had for
pub mod invites; // codes to register with
pub mod settings; // what people set while the server runs
pub mod audit; // who did what
pub mod cron; // scheduled commands and their runs
pub mod ports; // port probes and their outcomes
pub mod tokens; // what programs are let in by
pub mod agent_reports; // what agents of persons reported, node by node
pub mod agents; // programs with a token of their own
pub mod fleet; // hosts by their latest snapshots
pub mod alerts; // what is watched, what was found, and who is told

pub use database::Database;
pub use deadpool_postgres::{Client, ClientWrapper, GenericClient, Transaction};
pub use error::StoreError;
pub use timestamp::Timestamp;

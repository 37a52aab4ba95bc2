//! Millrace: a time-series ingest engine on plain PostgreSQL. One line a module, in reading order.

pub mod model; // plain data between stages
pub mod wire; // one dialect a folder: bytes in, `Intake` out
pub mod auth; // who is asking, and what they may do
pub mod admit; // budgets, rates, time window: admitted or refused, and why
pub mod catalog; // servers and series: identity to number
pub mod codec; // bit packing of times and values
pub mod rollup; // samples to buckets
pub mod journal; // lanes, blocks, commit, acknowledgement
pub mod rejects; // what was refused, for those who look for the reason
pub mod transfer; // imports: lines of any number to the journal
pub mod listen; // lines over TCP and UDP: Graphite, StatsD
pub mod matching; // which series someone means, and who means a series
pub mod live; // hub, WebSocket sessions
pub mod query; // request, selection, page, output
pub mod settings; // what administrators set while the server runs
pub mod alert; // rules judged as samples arrive, and who is told
pub mod jobs; // fold, seal, day, keep
pub mod verify; // the store's check of itself
pub mod store; // PostgreSQL: pool, migrations, COPY, statements
pub mod embedded; // the local PostgreSQL cluster
pub mod http; // sockets, connections, bodies, routes, handlers
pub mod app; // the composition root
pub mod cli; // arguments, and the commands that need no server
pub mod config; // flags, environment and file to plain values
pub mod telemetry; // logs and self-metrics
pub mod shutdown; // named tasks and their end
pub mod clock; // what time it is
pub mod backoff; // pauses between tries

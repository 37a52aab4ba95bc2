//! Live push: committed samples to the WebSocket subscribers whose filter they match.
//!
//! A lane hands a flush to the [`Hub`], whose one worker routes it: each series has a list of the groups of
//! subscribers it goes to. What a group gets of a flush is put together once and shared by its sessions, each of which
//! has a bounded queue and loses its oldest messages when it does not keep up, and is told how many. Only committed
//! samples are pushed. Knows nothing of HTTP routes or SQL; stored samples come through [`Replay`].

mod backlog; // what waits for the hub
mod feed; // replay, then live
mod frame; // messages, encoded once
mod handshake; // headers of an upgrade
mod heartbeat; // pings and patience
mod hub; // the door: commits in, subscriptions out
mod inbound; // the reading half
mod mailbox; // what waits for one session
mod marks; // how far the journal has been handed on
mod outgoing; // the writing half
mod questions; // what sessions ask the hub
mod replay; // stored samples first
mod reports; // reports of agents, told once
mod request; // filter and options of one subscription
mod session; // one socket
mod state; // subscriptions and delivery, without I/O
mod stats; // what it did so far
mod worker; // the one owner of the state

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use handshake::accept;
pub use heartbeat::HeartbeatConfig;
pub use hub::{Hub, HubConfig, SubscribeError, Subscription};
pub use mailbox::QueueLimits;
pub use marks::Marks;
pub use replay::{Replay, ReplayError, ReplayFuture, ReplayRange, Replays};
pub use reports::{AgentReport, Listening, Reports, ReportsOf, Untold};
pub use request::{StreamRequest, Wanted};
pub use session::{SessionSetup, serve};
pub use state::Event;
pub use worker::HubWorker;

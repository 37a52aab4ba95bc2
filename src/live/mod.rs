//! Live push: committed samples to the WebSocket subscribers whose filter they match.
//!
//! A lane hands a flush to the [`Hub`], whose one worker routes it: each series has a list of the groups of
//! subscribers it goes to. What a group gets of a flush is put together once and shared by its sessions, each of which
//! has a bounded queue and loses its oldest messages when it does not keep up, and is told how many. Only committed
//! samples are pushed. Knows nothing of HTTP routes or SQL; stored samples come through [`Replay`].

mod feed; // replay, then live
mod filter; // what a subscriber wants to see
mod frame; // messages, encoded once
mod handshake; // headers of an upgrade
mod hub; // the door: commits in, subscriptions out
mod inbound; // the reading half
mod mailbox; // what waits for one session
mod marks; // how far the journal has been handed on
mod outgoing; // the writing half
mod pattern; // sets of texts with wildcards
mod pulse; // pings and patience
mod replay; // stored samples first
mod request; // filter and options of one subscription
mod routes; // series to groups of subscribers
mod session; // one socket
mod state; // subscriptions and delivery, without I/O
mod stats; // what it did so far
mod worker; // the one owner of the state

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use filter::{FILTER_BYTES_MAX, FILTER_LABELS_MAX, FILTER_MEMBERS_MAX, Filter, FilterError};
pub use handshake::{HandshakeError, accept};
pub use hub::{EVENT_BYTES_MAX, Hub, HubConfig, SubscribeError, Subscription};
pub use mailbox::QueueLimits;
pub use marks::{Marks, ORIGINS_MAX};
pub use pulse::PulseConfig;
pub use replay::{AttachError, Replay, ReplayError, ReplayFuture, ReplayRange};
pub use request::StreamRequest;
pub use session::{CLIENT_MESSAGE_BYTES_MAX, Ended, SessionSetup, serve};
pub use state::Event;
pub use stats::LiveStats;
pub use worker::HubWorker;

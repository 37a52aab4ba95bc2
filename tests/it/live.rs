//! Live push as WebSocket clients see it, from a whole server.

mod agents; // reports of agents to their owners
mod contract; // what system 002 promises, and what we added
mod lag; // a client that does not keep up, and one that does
mod moved; // since= while data move from level to level
mod replay; // stored samples first, then live, without a seam
mod socket; // a client

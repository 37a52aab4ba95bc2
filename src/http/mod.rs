//! The front on raw hyper: sockets, connections, request bodies, routes and errors.
//!
//! A byte travels `server` → `accept` → `connection` → `front` → `router` → a handler, and back as a `Response`.
//! Only `handlers` know a dialect and the stages behind it; nothing here knows SQL.

mod accept; // one accept loop
pub mod config; // every number, with what breaks when it is wrong
mod connection; // one socket from its first byte to its last
mod drive; // its timer, its drain
pub mod listener; // a bound socket, perhaps with TLS
mod open; // its first bytes
mod protocol; // hyper's knobs, HTTP/1.1 and HTTP/2
mod pulse; // what a connection is doing, and when that has lasted too long
pub mod server; // accept on all listeners, drain at the end
mod socket; // the byte stream hyper sees
pub mod tls; // certificates, and their replacement while running

pub mod cors;
pub mod front; // one request to one response: ids, CORS, panics, errors, observation
pub mod handler;
pub mod observer;
mod percent; // %41 to A
pub mod query; // the part after `?`
pub mod request;
pub mod request_id;
pub mod router; // method and path to handler

pub mod body; // request bodies: capped reading
pub mod encoding; // Content-Encoding
pub mod inflate; // capped decompression, pure

pub mod error; // the one error map
mod error_body; // how an error is spelled for whom
pub mod response; // response bodies and the usual responses
pub mod stream; // bodies written piece by piece, bounded in bytes

pub mod handlers; // what answers each path

pub use hyper::{Method, StatusCode};

pub use body::CollectedBody;
pub use config::Config;
pub use error::{ApiError, ErrorShape};
pub use front::Front;
pub use handler::Handler;
pub use listener::Listener;
pub use request::Request;
pub use response::{Response, ResponseBody};
pub use router::Router;
pub use server::serve;

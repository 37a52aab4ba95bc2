//! The front on raw hyper: sockets, connections, request bodies, routes and errors.
//!
//! A byte travels `connection` → `front` → `router` → a handler, and back as a `Response`.
//! Only `handlers` know a dialect and the stages behind it; nothing here knows SQL.

pub mod config; // every number, with what breaks when it is wrong
mod connection; // sockets: accepted, recognised, driven, drained

pub mod front; // one request to one response: ids, CORS, panics, errors, observation
pub mod cors;
pub mod observer;
pub mod router; // method and path to handler
mod gate; // who sent a request, asked before its handler runs
pub mod handler;

mod request; // one request, as a handler sees it
pub mod body; // request bodies: capped reading, capped decompression
mod answer; // responses, streams, the one error map

pub mod handlers; // what answers each path

pub use hyper::{Method, StatusCode};

pub use answer::compressor::{Coding, Compressor};
pub use answer::error::{self, ApiError, ErrorShape};
pub use answer::response::{self, Response, ResponseBody};
pub use answer::rpc;
pub use answer::streamed_body;
pub use body::{CollectedBody, encoding};
pub use config::Config;
pub use connection::listener::Listener;
pub use connection::server::{self, serve};
pub use connection::tls;
pub use front::Front;
pub use gate::{SESSION_COOKIE, Terms, Words};
pub use handler::Handler;
pub use request::{Request, RequestBody, query, request_id};
pub use router::Router;

//! The HTTP front from outside: bytes over sockets against a small router, with short time-outs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod bodies;
mod connections;
mod drain;
mod harness;
mod http2;
mod routes;
mod streams;
mod tls;
mod upgrade;

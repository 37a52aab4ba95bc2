//! What goes back: responses, bodies written piece by piece, and errors in the shape of their route.

pub mod error; // the one error map
pub(super) mod error_body; // how an error is spelled for whom
pub mod rpc; // errors of protocols that speak protobuf
pub mod response; // response bodies and the usual responses
pub mod streamed_body; // bodies written piece by piece, bounded in bytes
pub(super) mod compressor; // their compression

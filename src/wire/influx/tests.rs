//! What the decoder promises.

mod lines;
mod model;

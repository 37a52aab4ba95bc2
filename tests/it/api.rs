//! The API as its clients see it: real bytes to a whole server on a real database.

mod servers; // registration
mod stream; // live push

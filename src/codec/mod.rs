//! Packing of series, times and values into bytes and back, bit for bit. Pure: knows only `model`, does no I/O.
//!
//! Decoders trust no length they read: a damaged or hostile block is an error, never a panic, a wrong sample or a
//! large allocation.

mod groups; // the inner loops of both packings below
pub mod bits; // fixed-width integers
pub mod bit_string; // the same as a string of bits that SQL can read
pub mod block; // a batch as one checksummed block
mod varint; // integers in as few bytes as they need
mod patched; // columns of one width with exceptions
pub mod column; // integers in small frames, each as narrow as it can be
pub mod decimal; // floats that are short decimals, as integers
pub mod samples_row; // samples of one series as the columns of a row
pub mod rollup_row; // buckets of one series as the columns of a row

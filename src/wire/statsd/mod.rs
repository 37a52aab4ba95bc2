//! StatsD, with the tags of DogStatsD: `name:1|c|@0.1|#tag:value`, and what becomes of a flush interval.
//!
//! | type | metric type | samples at each flush |
//! |---|---|---|
//! | `c` | `delta` | what was added in the interval, divided by the sample rate |
//! | `g` | `gauge` | the last value; `+1` and `-1` change it |
//! | `ms`, `h`, `d` | `timer` | `_count`, `_sum`, `_min`, `_max` and the value at each `quantile` |
//! | `s` | `set` | how many different members |
//!
//! Nothing is said of a series in whose interval nothing came. The tag `host` or `hostname` names the server, the other
//! tags are labels. Knows no socket and no clock.

mod line; // one line, read
mod series; // what one series gathers in an interval
mod aggregate; // all of them, bounded

pub use aggregate::{Aggregate, BYTES_MAX};
pub use line::LINE_BYTES_MAX;

#[cfg(test)]
mod tests;

//! Admission: what may enter, and why not. Budgets in bytes, rates in samples, a window in time.
//!
//! Pure: no I/O, no clock, no waiting. The time is handed in, the answer is handed back. Knows `model` only.

pub mod budget;
pub mod rate;
pub mod window;

pub use budget::{Budget, Permit};
pub use rate::{Rates, Refused};
pub use window::{Window, refuse_outside};

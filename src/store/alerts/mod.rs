//! Alerting's tables: rules, how they stand, what happened, who is told, and what is still to be told. What rules and
//! messages mean is not known here.

mod count; // how much was found
mod record; // what was found, all at once

pub use count::total_of_pack;
pub use record::{Finding, NoticeRow, record};

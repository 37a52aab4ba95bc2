//! Alerting's tables: rules, how they stand, what happened, who is told, and what is still to be told. What rules and
//! messages mean is not known here.

mod record; // what was found, all at once
pub mod reports; // what packs keep of reports

pub use record::{Finding, NoticeRow, record};

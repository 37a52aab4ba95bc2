//! Alerting's tables: rules, how they stand, what happened, who is told, and what is still to be told. What rules and
//! messages mean is not known here.

mod record; // what was found, all at once
mod seat; // the place of the one node that judges
mod judging; // what it judges, and who is told
mod expiry; // what is removed once it is old

pub use expiry::{expire_events, expire_notices, expire_states};
pub use judging::{Acknowledged, RULES_MAX, RuleRow, SilenceRow};
pub use record::{Finding, NoticeRow, record};
pub use seat::{Progress, Seat};

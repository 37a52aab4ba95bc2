//! Alerting's tables: rules, how they stand, what happened, who is told, and what is still to be told. What rules and
//! messages mean is not known here.

mod record; // what was found, all at once
pub mod reports; // what packs keep of reports
pub mod agent_rules; // rules about whole reports
pub mod fleet; // what is kept of endpoints
mod seat; // the place of the one node that judges
mod judging; // what it judges, and who is told
mod expiry; // what is removed once it is old
pub mod rules; // what is watched
pub mod states; // how it stands
pub mod events; // what happened
pub mod silences; // when nobody is told
pub mod recipients; // who is told
pub mod outbox; // what is still to be told
pub mod notices; // what was told, and what was not
pub mod news; // what happened, as it comes in

pub use expiry::{expire_events, expire_states};
pub use judging::{Acknowledged, RULES_MAX, RuleRow, SilenceRow, open_silences};
pub use record::{Finding, NoticeRow, record};
pub use seat::{Progress, Seat};

use deadpool_postgres::GenericClient;

use super::StoreError;

/// Has whoever judges look at rules, silences and acknowledged alerts anew once the transaction is committed. Whoever
/// comes second waits for the first, so what is counted after it stands still.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn revise(client: &impl GenericClient) -> Result<(), StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/alert_revise.sql")).await?;
    client.execute(&statement, &[]).await?;
    Ok(())
}

/// A list as a parameter that does not filter when it is empty.
fn some<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

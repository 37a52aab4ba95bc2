//! The store's check of itself: everything that is stored is read and compared with what it must be.
//!
//! - journal: every block can be read and holds what its row says;
//! - recent and samples: every row can be read and lies in one hour; rows of a series do not overlap;
//! - rollups: every row can be read and holds what is in its hour or day;
//! - `rollup_1h`: every closed day is what its samples roll up to;
//! - `rollup_1m`: no hour is kept in two forms;
//! - damaged rows that jobs have set aside are told until somebody deletes them;
//! - tables by month: the present one is there, and none swallows the rest.
//!
//! May run beside servers: what belongs together is read in one snapshot, and no snapshot is kept for long. Memory is a
//! page of rows. Knows `store`, `codec` and `rollup`; changes nothing.

mod journal; // blocks against their rows
mod report; // what was found
mod rollups; // rows of minutes and hours
mod samples; // packed rows, and rollups against them

pub use report::Report;

use crate::model::{Micros, Resolution};
use crate::store::set_aside::{self, SetAside};
use crate::store::{Database, StoreError, verify};

/// Reads everything. `now` says which month must be there.
///
/// # Errors
/// When PostgreSQL is not available. What is found wrong is in the report.
pub async fn run(database: &Database, now: Micros) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut client = database.client().await?;
    journal::check(&client, &mut report).await?;
    samples::check_recent(&client, &mut report).await?;
    samples::check_samples(&mut client, &mut report).await?;
    for resolution in [Resolution::Minute, Resolution::Hour] {
        rollups::check(&client, resolution, &mut report).await?;
    }
    for (series, hour) in verify::both_forms(&client, report::LISTED_MAX as i64).await? {
        report.fault(format!("series {}: the hour {hour} is kept both as samples and as minutes", series.0));
    }
    for row in set_aside::list(&client, set_aside::ROWS_MAX as i64).await? {
        let SetAside { level, place, reason, found_by, found_at } = row;
        report.set_aside += 1;
        report.fault(format!("a row of {level} was set aside by {found_by} at {found_at}: {reason}: {place}"));
    }
    for sentence in verify::tables(&client, now).await? {
        report.fault(sentence);
    }
    Ok(report)
}

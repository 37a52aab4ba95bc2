//! Parts on their way out of `recent`: read in the order in which they are moved, deleted exactly as they were read, and
//! the space of those that are gone given back.

use std::error::Error;
use std::fmt;

use bytes::{BufMut, BytesMut};
use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Portal;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::samples::{StoredSamples, WINDOW_MICROS, stored};
use crate::model::{Micros, SeriesId};
use crate::store::{StoreError, Timestamp};

/// The tables of the ring.
pub const SLOTS: i64 = 4;
/// Parts in memory at once beside what is made of them.
const FETCH_ROWS: i32 = 256;

/// The table of the ring that a fold writes to. Nothing depends on nodes agreeing on it: a table is emptied only when no
/// row is left in it.
pub fn slot(folded_at: Micros) -> i16 {
    folded_at.0.div_euclid(WINDOW_MICROS).rem_euclid(SLOTS) as i16
}

/// An hour of a series; parts are moved hour by hour, series by series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub series: SeriesId,
    pub window: Micros,
}

impl Position {
    pub const FIRST: Self = Self { series: SeriesId(0), window: Micros(i64::MIN) };
}

/// A part, and where it is.
#[derive(Clone, Debug)]
pub struct Part {
    pub place: Place,
    pub fold: u64,
    pub stored: StoredSamples,
}

/// Where a row is until it is deleted: rows of `recent` are never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub slot: i16,
    row: RowPlace,
}

/// The parts that were there at one moment, some at a time.
pub struct Parts<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl<'a> Parts<'a> {
    /// Of the parts from `from` on that begin before `before`, at most `rows_max`.
    ///
    /// # Errors
    /// When PostgreSQL is not available.
    pub async fn open(
        transaction: &'a Transaction<'a>,
        from: Position,
        before: Micros,
        rows_max: usize,
    ) -> Result<Self, StoreError> {
        let statement = transaction.prepare_cached(include_str!("../../../sql/queries/recent_next.sql")).await?;
        let (series, window, rows_max) = (from.series.0 as i32, Timestamp(from.window), rows_max as i64);
        let portal = transaction.bind(&statement, &[&series, &window, &Timestamp(before), &rows_max]).await?;
        Ok(Self { transaction, portal })
    }

    /// The next ones by series, hour and fold: of two samples with the same series and time the later one in this order
    /// wins. None when there are no more.
    ///
    /// # Errors
    /// When PostgreSQL is not available or a row cannot be read.
    pub async fn next(&self) -> Result<Vec<Part>, StoreError> {
        let rows = self.transaction.query_portal(&self.portal, FETCH_ROWS).await?;
        let part = |row| -> Result<Part, StoreError> {
            let row: &tokio_postgres::Row = row;
            let place = Place { slot: row.try_get("slot")?, row: row.try_get("ctid")? };
            Ok(Part { place, fold: row.try_get::<_, i64>("fold")? as u64, stored: stored(row)? })
        };
        rows.iter().map(part).collect()
    }
}

/// Deletes parts that were read in the same transaction. Those that others have added since stay.
///
/// # Errors
/// When PostgreSQL is not available.
pub async fn delete(transaction: &Transaction<'_>, places: &[Place]) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(include_str!("../../../sql/queries/recent_delete.sql")).await?;
    for slot in 0..SLOTS as i16 {
        let rows: Vec<RowPlace> = places.iter().filter(|place| place.slot == slot).map(|place| place.row).collect();
        if !rows.is_empty() {
            transaction.execute(&statement, &[&slot, &rows]).await?;
        }
    }
    Ok(())
}

/// Gives the space of a table of the ring back, when no row is left in it. Answers whether there was anything to do.
///
/// # Errors
/// When PostgreSQL is not available, or others do not let go of the table within a moment: tried again another time.
pub async fn empty(client: &impl GenericClient, slot: i16) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(include_str!("../../../sql/queries/recent_empty.sql")).await?;
    Ok(client.query_one(&statement, &[&i32::from(slot)]).await?.try_get("emptied")?)
}

/// PostgreSQL's `tid`: a page and a row in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RowPlace {
    page: u32,
    row: u16,
}

impl<'a> FromSql<'a> for RowPlace {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let (&page, row) = raw.split_first_chunk().ok_or("a place without a page")?;
        Ok(Self { page: u32::from_be_bytes(page), row: u16::from_be_bytes(row.try_into()?) })
    }

    accepts!(TID);
}

impl ToSql for RowPlace {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_u32(self.page);
        out.put_u16(self.row);
        Ok(IsNull::No)
    }

    accepts!(TID);
    to_sql_checked!();
}

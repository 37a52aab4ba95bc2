//! Times on the wire to PostgreSQL: the same microseconds, counted from another day, with nothing rounded.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::model::Micros;

/// PostgreSQL counts from 2000-01-01, we from 1970-01-01.
const EPOCH_DISTANCE: i64 = 946_684_800_000_000;

/// A `timestamptz` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub Micros);

impl Timestamp {
    /// Before and after every other time; PostgreSQL's `-infinity` and `infinity`.
    pub const BEFORE_ALL: Self = Self(Micros(i64::MIN));
    pub const AFTER_ALL: Self = Self(Micros(i64::MAX));

    /// The eight bytes PostgreSQL's binary formats hold.
    pub fn to_wire(self) -> i64 {
        match self {
            Self::AFTER_ALL => i64::MAX,
            Self(time) => time.0.saturating_sub(EPOCH_DISTANCE),
        }
    }

    fn from_wire(wire: i64) -> Self {
        match wire {
            i64::MIN => Self::BEFORE_ALL,
            finite => Self(Micros(finite.saturating_add(EPOCH_DISTANCE))),
        }
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(self.to_wire());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Timestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::from_wire(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_time_postgresql_can_hold_comes_back(wire in i64::MIN..i64::MAX - EPOCH_DISTANCE) {
            prop_assert_eq!(Timestamp::from_wire(wire).to_wire(), wire);
        }
    }

    #[test]
    fn the_ends_of_time_are_infinities() {
        assert_eq!(Timestamp::AFTER_ALL.to_wire(), i64::MAX);
        assert_eq!(Timestamp::BEFORE_ALL.to_wire(), i64::MIN);
        assert_eq!(Timestamp::from_wire(i64::MAX), Timestamp::AFTER_ALL);
    }
}

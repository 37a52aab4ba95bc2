//! Strings of bits as PostgreSQL sends them: the number of bits, then the bytes.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type, accepts};

use crate::codec::bit_string::BitString;

impl<'a> FromSql<'a> for BitString {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let (&len, bytes) = raw.split_first_chunk().ok_or("bits without a length")?;
        Ok(Self { len: u32::from_be_bytes(len), bytes: bytes.to_vec() })
    }

    accepts!(VARBIT);
}

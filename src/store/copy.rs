//! Rows in PostgreSQL's binary COPY format, written straight into one buffer.
//!
//! The client library's own writer converts field by field through trait objects; ours only knows the few types our
//! tables have. The caller must write exactly the columns its COPY statement names, in order.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::Transaction;
use futures_util::SinkExt;

use super::{StoreError, Timestamp};
use crate::codec::bit_string::BitString;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Flags and the length of the header extension, both zero.
const HEADER_REST: &[u8] = &[0; 8];
const TRAILER: i16 = -1;

/// A COPY stream being written.
#[derive(Debug)]
pub struct CopyWriter {
    out: BytesMut,
    columns: i16,
}

impl CopyWriter {
    pub fn new(columns: i16, bytes_expected: usize) -> Self {
        let mut out = BytesMut::with_capacity(bytes_expected + 64);
        out.put_slice(SIGNATURE);
        out.put_slice(HEADER_REST);
        Self { out, columns }
    }

    pub fn begin_row(&mut self) -> &mut Self {
        self.out.put_i16(self.columns);
        self
    }

    pub fn int2(&mut self, value: i16) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn int4(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn int8(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn timestamptz(&mut self, value: Timestamp) -> &mut Self {
        self.int8(value.to_wire())
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.field(&[u8::from(value)])
    }

    /// Null when there are no bits.
    pub fn bit_varying(&mut self, value: &BitString) -> &mut Self {
        if value.len == 0 {
            return self.null();
        }
        self.length(size_of::<u32>() + value.bytes.len());
        self.out.put_u32(value.len);
        self.out.put_slice(&value.bytes);
        self
    }

    /// Null when there are no values.
    pub fn float8_array(&mut self, values: &[f64]) -> &mut Self {
        const HEAD_BYTES: usize = 20;
        const FLOAT8: u32 = 701;
        if values.is_empty() {
            return self.null();
        }
        self.length(HEAD_BYTES + values.len() * (size_of::<i32>() + size_of::<f64>()));
        // One dimension, no nulls, of float8, so many from one on.
        for word in [1, 0, FLOAT8, values.len() as u32, 1] {
            self.out.put_u32(word);
        }
        for value in values {
            self.field(&value.to_be_bytes());
        }
        self
    }

    pub fn null(&mut self) -> &mut Self {
        self.out.put_i32(-1);
        self
    }

    pub fn text(&mut self, value: &str) -> &mut Self {
        self.field(value.as_bytes())
    }

    /// `value` is the JSON text.
    pub fn jsonb(&mut self, value: &str) -> &mut Self {
        const VERSION: u8 = 1;
        self.length(size_of::<u8>() + value.len());
        self.out.put_u8(VERSION);
        self.out.put_slice(value.as_bytes());
        self
    }

    pub fn bytea(&mut self, value: &[u8]) -> &mut Self {
        self.field(value)
    }

    pub fn finish(mut self) -> Bytes {
        self.out.put_i16(TRAILER);
        self.out.freeze()
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.out.put_slice(bytes);
        self
    }

    fn length(&mut self, bytes: usize) {
        self.out.put_i32(i32::try_from(bytes).expect("a field is far smaller than PostgreSQL's limit of 1 GiB"));
    }
}

/// Sends rows to the COPY statement that they were written for.
pub(super) async fn send(transaction: &Transaction<'_>, sql: &str, rows: Bytes) -> Result<(), StoreError> {
    let statement = transaction.prepare_cached(sql).await?;
    let mut sink = pin!(transaction.copy_in(&statement).await?);
    sink.send(rows).await?;
    sink.finish().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_column_count_and_length_prefixed_fields() {
        let mut writer = CopyWriter::new(2, 0);
        writer.begin_row().int2(7).bytea(b"ab");
        let stream = writer.finish();
        assert_eq!(&stream[SIGNATURE.len() + HEADER_REST.len()..], b"\0\x02\0\0\0\x02\0\x07\0\0\0\x02ab\xff\xff");
    }
}

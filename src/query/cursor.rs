//! Where the next page begins: after the last row of this one. Opaque to clients, and checked when it comes back.

use std::fmt;
use std::str::FromStr;

use crate::model::{Micros, SeriesId};

const VERSION: u8 = 1;
const BYTES: usize = 1 + 8 + 4 + 4;

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub time: Micros,
    pub series: SeriesId,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this server gave")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.time.0.to_be_bytes());
        bytes[9..13].copy_from_slice(&self.series.0.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[..13]);
        bytes[13..].copy_from_slice(&checksum.to_be_bytes());
        bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut bytes = [0; BYTES];
        if text.len() != 2 * BYTES || !text.is_ascii() {
            return Err(CursorError);
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).map_err(|_| CursorError)?;
        }
        let [version, t0, t1, t2, t3, t4, t5, t6, t7, s0, s1, s2, s3, checksum @ ..] = bytes;
        if version != VERSION || crc32fast::hash(&bytes[..13]).to_be_bytes() != checksum {
            return Err(CursorError);
        }
        let time = Micros(i64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7]));
        // The checksum is no secret, and PostgreSQL knows fewer times than fit in here.
        if !(Micros::FIRST..=Micros::LAST).contains(&time) {
            return Err(CursorError);
        }
        Ok(Self { time, series: SeriesId(u32::from_be_bytes([s0, s1, s2, s3])) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back(time in Micros::FIRST.0..=Micros::LAST.0, series in any::<u32>()) {
            let cursor = Cursor { time: Micros(time), series: SeriesId(series) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_other_text_is_refused(text in ".{0,40}") {
            prop_assert_eq!(text.parse::<Cursor>(), Err(CursorError));
        }
    }
}

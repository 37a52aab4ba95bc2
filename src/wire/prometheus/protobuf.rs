//! The wire format of protocol buffers, read in place: fields one after the other, each with its number and its value.
//! Messages within messages are only delimited, so nesting costs nothing. Groups are long gone from the format and refused.

use crate::model::Span;

/// Continuation bytes of a number with 64 bits.
const VARINT_BYTES_MAX: usize = 10;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the message is cut off at byte {at}")]
    CutOff { at: usize },
    #[error("the number at byte {at} is longer than 64 bits")]
    LongNumber { at: usize },
    #[error("there is no field of that number or kind at byte {at}")]
    NoField { at: usize },
}

/// A message, as a part of `body`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    body: &'a [u8],
    at: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    /// Where the field begins, its number included.
    pub(super) start: usize,
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    /// A text, a message, or numbers without their tags.
    Bytes(Span),
}

impl<'a> Message<'a> {
    /// The message that `span` of `body` holds; positions are those in `body`.
    #[inline(always)]
    pub(super) fn within(body: &'a [u8], span: Span) -> Self {
        Self { body: body.get(..span.end as usize).unwrap_or_default(), at: span.start as usize }
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Field>, Malformed> {
        if self.at >= self.body.len() {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.fixed()?)),
            2 => Value::Bytes(self.bytes()?),
            5 => {
                self.fixed::<4>()?;
                Value::Fixed32
            }
            _ => return Err(Malformed::NoField { at: start }),
        };
        match tag >> 3 {
            0 => Err(Malformed::NoField { at: start }),
            number => Ok(Some(Field { number, start, value })),
        }
    }

    /// The next number of a run of numbers without tags.
    #[inline(always)]
    pub(super) fn next_packed(&mut self) -> Result<Option<u64>, Malformed> {
        if self.at >= self.body.len() { Ok(None) } else { self.varint().map(Some) }
    }

    /// The same for floats.
    pub(super) fn next_packed_float(&mut self) -> Result<Option<f64>, Malformed> {
        if self.at >= self.body.len() { Ok(None) } else { Ok(Some(f64::from_le_bytes(*self.fixed()?))) }
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.body.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for (place, byte) in self.body.get(self.at..).unwrap_or_default().iter().take(VARINT_BYTES_MAX).enumerate() {
            if place == VARINT_BYTES_MAX - 1 && *byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                self.at += place + 1;
                return Ok(number);
            }
        }
        let is_long = self.body.len() >= self.at + VARINT_BYTES_MAX;
        Err(if is_long { Malformed::LongNumber { at: self.at } } else { Malformed::CutOff { at: self.at } })
    }

    #[inline(always)]
    fn fixed<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let found = self.body.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let found = found.ok_or(Malformed::CutOff { at: self.at })?;
        self.at += N;
        Ok(found)
    }

    #[inline(always)]
    fn bytes(&mut self) -> Result<Span, Malformed> {
        let length = self.varint()?;
        let start = self.at;
        if length > (self.body.len() - start) as u64 {
            return Err(Malformed::CutOff { at: start });
        }
        self.at = start + length as usize;
        Ok(Span::new(start, self.at))
    }
}

/// Signed numbers that are stored so that small ones stay short.
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &[u8]) -> Result<Vec<(u64, String)>, Malformed> {
        let mut message = Message::within(body, Span::new(0, body.len()));
        let mut fields = Vec::new();
        while let Some(field) = message.next()? {
            fields.push((field.number, format!("{:?}", field.value)));
        }
        Ok(fields)
    }

    #[test]
    fn fields_of_every_kind_are_told_apart() {
        let body = [0x08, 0x96, 0x01, 0x12, 0x01, 0xff, 0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0x25, 1, 2, 3, 4];
        let found = fields(&body).unwrap();
        assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(found[0].1, "Varint(150)");
    }

    #[test]
    fn what_is_cut_off_or_endless_is_told_with_its_place() {
        for (body, expected) in [
            (&[0x08][..], Malformed::CutOff { at: 1 }),
            (&[0x08, 0x80], Malformed::CutOff { at: 1 }),
            (&[0x12, 0x05, 1, 2], Malformed::CutOff { at: 2 }),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Malformed::CutOff { at: 11 }),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Malformed::LongNumber { at: 1 }),
            (&[0x09, 1, 2], Malformed::CutOff { at: 1 }),
            (&[0x00, 0x00], Malformed::NoField { at: 0 }),
            (&[0x0b], Malformed::NoField { at: 0 }),
        ] {
            assert_eq!(fields(body).unwrap_err(), expected, "{body:?}");
        }
    }

    #[test]
    fn signed_numbers_are_unfolded() {
        assert_eq!([0, 1, 2, 3, u64::MAX].map(zigzag), [0, -1, 1, -2, i64::MIN]);
    }
}

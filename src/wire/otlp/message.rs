//! The protobuf wire format: fields of a message one after the other, read without copying, and written for answers and
//! for what came as JSON. Knows no message in particular.

/// Why a body is not protobuf, or not the message that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a field runs past the end of its message")]
    Truncated,
    #[error("a number is longer than 64 bits")]
    LongNumber,
    #[error("field number 0")]
    FieldZero,
    #[error("wire type {0} is unknown")]
    WireType(u8),
    #[error("field {number} has another type than it should have")]
    OtherType { number: u32 },
}

/// A field's value as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub number: u32,
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    /// # Errors
    /// When it is of another type.
    pub fn bytes(self) -> Result<&'a [u8], Malformed> {
        if let Value::Bytes(bytes) = self.value { Ok(bytes) } else { Err(self.of_other_type()) }
    }

    /// # Errors
    /// When it is of another type.
    pub fn varint(self) -> Result<u64, Malformed> {
        if let Value::Varint(number) = self.value { Ok(number) } else { Err(self.of_other_type()) }
    }

    /// # Errors
    /// When it is of another type.
    pub fn fixed64(self) -> Result<u64, Malformed> {
        if let Value::Fixed64(number) = self.value { Ok(number) } else { Err(self.of_other_type()) }
    }

    /// # Errors
    /// When it is of another type.
    pub fn double(self) -> Result<f64, Malformed> {
        self.fixed64().map(f64::from_bits)
    }

    /// The members of a repeated number, whether they come packed or one by one.
    ///
    /// # Errors
    /// When it is of another type, or one of them is cut off.
    pub fn each_fixed64(self, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
        let Value::Bytes(packed) = self.value else { return self.fixed64().map(take) };
        let (numbers, rest) = packed.as_chunks::<8>();
        numbers.iter().for_each(|bytes| take(u64::from_le_bytes(*bytes)));
        if rest.is_empty() { Ok(()) } else { Err(Malformed::Truncated) }
    }

    /// The same for numbers of any length.
    ///
    /// # Errors
    /// When it is of another type, or one of them is cut off.
    pub fn each_varint(self, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
        let Value::Bytes(packed) = self.value else { return self.varint().map(take) };
        let mut fields = Fields(packed);
        while !fields.0.is_empty() {
            take(fields.varint()?);
        }
        Ok(())
    }

    #[cold]
    fn of_other_type(self) -> Malformed {
        Malformed::OtherType { number: self.number }
    }
}

/// The fields of a message. Ends after the first error.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match *self.0 {
            [byte @ 0..0x80, ..] => {
                self.0 = &self.0[1..];
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for (place, byte) in self.0.iter().enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for the highest bit alone.
            if place > 9 || (place == 9 && bits > 1) {
                return Err(Malformed::LongNumber);
            }
            number |= bits << (7 * place);
            if byte & 0x80 == 0 {
                self.0 = &self.0[place + 1..];
                return Ok(number);
            }
        }
        Err(Malformed::Truncated)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed::Truncated)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (chunk, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*chunk)
    }

    #[inline(always)]
    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed::LongNumber)?;
        if number == 0 {
            return Err(Malformed::FieldZero);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.chunk()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.chunk()?)),
            other => return Err(Malformed::WireType(other as u8)),
        };
        Ok(Field { number, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// A number whose sign stands in its lowest bit.
pub fn from_zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

pub fn to_zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

pub fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u64) {
    put_varint(out, u64::from(number) << 3 | wire_type);
}

pub fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, 0);
    put_varint(out, value);
}

pub fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes of a length that is filled in later.
const OPEN_LENGTH_BYTES: usize = 5;

/// Begins a message within a message; what is written until [`close`] is in it.
pub fn open(out: &mut Vec<u8>, number: u32) -> usize {
    put_tag(out, number, 2);
    out.extend_from_slice(&[0; OPEN_LENGTH_BYTES]);
    out.len()
}

/// Ends the message that `start` was answered for.
pub fn close(out: &mut [u8], start: usize) {
    let mut length = out.len() - start;
    for (place, byte) in out[start - OPEN_LENGTH_BYTES..start].iter_mut().enumerate() {
        let more = if place + 1 < OPEN_LENGTH_BYTES { 0x80 } else { 0 };
        *byte = (length & 0x7f) as u8 | more;
        length >>= 7;
    }
}

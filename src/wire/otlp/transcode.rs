//! The JSON form to protobuf, so that there is one decoder. Fields may come in any order in both.
//!
//! Driven by the tables in `schema`: what is not in them is passed over. Recursion ends at the depth that the grammar
//! allows. 64-bit integers come as texts or as numbers, and floats may be spelt `"NaN"` and `"Infinity"`.

use super::message::{close, open, put_bytes, put_fixed64, put_number, to_zigzag};
use super::room::{Room, Unread};
use super::schema::{Kind, Member, Message};
use crate::wire::decimal::EXACT_INTEGER_MAX;
use crate::wire::json::{DEPTH_MAX, Fault, Scanner, Syntax, Text};

/// Writes the document `body` as a protobuf `message` to the end of `out`.
///
/// # Errors
/// When it is not JSON, a field has another type than it should have, or there is no room.
pub fn transcode(body: &[u8], message: &'static Message, out: &mut Vec<u8>, room: &mut Room<'_>) -> Result<(), Unread> {
    let mut transcoder = Transcoder { scanner: Scanner::new(body)?, out, room };
    transcoder.object(message, 0)?;
    if transcoder.scanner.token() != 0 || transcoder.scanner.at() < body.len() {
        return Err(transcoder.scanner.unexpected("the end of the document").into());
    }
    Ok(())
}

struct Transcoder<'a, 'r, 'm> {
    scanner: Scanner<'a>,
    out: &'r mut Vec<u8>,
    room: &'r mut Room<'m>,
}

impl Transcoder<'_, '_, '_> {
    fn object(&mut self, message: &'static Message, depth: u32) -> Result<(), Unread> {
        if depth >= DEPTH_MAX {
            return Err(self.scanner.fault(Syntax::TooDeep).into());
        }
        if self.scanner.token() != b'{' {
            return Err(self.other_type("an object was expected"));
        }
        self.scanner.step(1);
        if self.scanner.token() == b'}' {
            self.scanner.step(1);
            return Ok(());
        }
        loop {
            let name = self.name()?;
            let raw = name.raw(self.scanner.body());
            match message.0.iter().find(|member| member.name.as_bytes() == raw) {
                Some(member) => self.member(member, depth + 1)?,
                None => self.scanner.skip_value(depth + 1)?,
            }
            if self.is_last(b'}', "a comma or a closing brace")? {
                return Ok(());
            }
        }
    }

    fn member(&mut self, member: &'static Member, depth: u32) -> Result<(), Unread> {
        match (self.scanner.token(), member.repeated) {
            (b'n', _) => Ok(self.scanner.literal("null")?),
            (_, false) => self.value(member, depth),
            (b'[', true) => self.list(member, depth),
            (_, true) => Err(self.other_type("a list was expected")),
        }
    }

    fn list(&mut self, member: &'static Member, depth: u32) -> Result<(), Unread> {
        if depth >= DEPTH_MAX {
            return Err(self.scanner.fault(Syntax::TooDeep).into());
        }
        self.scanner.step(1);
        if self.scanner.token() == b']' {
            self.scanner.step(1);
            return Ok(());
        }
        loop {
            self.value(member, depth + 1)?;
            if self.is_last(b']', "a comma or a closing bracket")? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, Member { number, kind, .. }: &'static Member, depth: u32) -> Result<(), Unread> {
        self.room.need(self.out.len())?;
        match kind {
            Kind::Message(message) => {
                let start = open(self.out, *number);
                self.object(message, depth)?;
                close(self.out, start);
            }
            Kind::Text => {
                let text = self.text()?;
                let decoded = text.decoded(self.scanner.body());
                let decoded = decoded.map_err(|_| self.other_type("a text has half of a surrogate pair"))?;
                put_bytes(self.out, *number, &decoded);
            }
            Kind::Boolean => {
                let truth = self.scanner.token() == b't';
                self.scanner.literal(if truth { "true" } else { "false" })?;
                put_number(self.out, *number, u64::from(truth));
            }
            Kind::Double => {
                let double = self.double()?;
                put_fixed64(self.out, *number, double.to_bits());
            }
            Kind::Unsigned => {
                let integer = self.integer()?;
                let unsigned = u64::try_from(integer).map_err(|_| self.other_type("an integer is out of range"))?;
                put_fixed64(self.out, *number, unsigned);
            }
            Kind::Signed => {
                let signed = self.signed()?;
                put_fixed64(self.out, *number, signed.cast_unsigned());
            }
            Kind::Varint => {
                let integer = self.integer()?;
                let bits = u64::try_from(integer).or_else(|_| i64::try_from(integer).map(i64::cast_unsigned));
                put_number(self.out, *number, bits.map_err(|_| self.other_type("an integer is out of range"))?);
            }
            Kind::Zigzag => {
                let signed = self.signed()?;
                put_number(self.out, *number, to_zigzag(signed));
            }
            Kind::Named(names) => {
                let place = self.named(names)?;
                put_number(self.out, *number, place);
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Result<Text, Fault> {
        if self.scanner.token() != b'"' {
            return Err(self.scanner.unexpected("a quoted name"));
        }
        let name = self.scanner.string()?;
        self.scanner.expect(b':', "a colon")?;
        Ok(name)
    }

    fn is_last(&mut self, closing: u8, expected: &'static str) -> Result<bool, Fault> {
        let mark = self.scanner.token();
        if mark != b',' && mark != closing {
            return Err(self.scanner.unexpected(expected));
        }
        self.scanner.step(1);
        Ok(mark == closing)
    }

    fn text(&mut self) -> Result<Text, Unread> {
        if self.scanner.token() != b'"' {
            return Err(self.other_type("a text was expected"));
        }
        Ok(self.scanner.string()?)
    }

    fn double(&mut self) -> Result<f64, Unread> {
        if self.scanner.token() != b'"' {
            return Ok(self.scanner.number()?);
        }
        let text = self.scanner.string()?.raw(self.scanner.body());
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| self.other_type("a number was expected"))
    }

    fn signed(&mut self) -> Result<i64, Unread> {
        let integer = self.integer()?;
        i64::try_from(integer).map_err(|_| self.other_type("an integer is out of range"))
    }

    /// An integer of 64 bits with any sign, as digits with or without quotes, or as a float that is one.
    fn integer(&mut self) -> Result<i128, Unread> {
        let raw = if self.scanner.token() == b'"' {
            self.scanner.string()?.raw(self.scanner.body())
        } else {
            let start = self.scanner.at();
            self.scanner.skip_number()?;
            &self.scanner.body()[start..self.scanner.at()]
        };
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let whole = |float: &f64| float.fract() == 0.0 && float.abs() <= EXACT_INTEGER_MAX as f64;
        let as_float = || text.parse().ok().filter(whole).map(|float: f64| i128::from(float as i64));
        text.parse().ok().or_else(as_float).ok_or_else(|| self.other_type("an integer was expected"))
    }

    fn named(&mut self, names: &[&str]) -> Result<u64, Unread> {
        if self.scanner.token() == b'"' {
            let text = self.scanner.string()?.raw(self.scanner.body());
            if let Some(place) = names.iter().position(|name| name.as_bytes() == text) {
                return Ok(place as u64);
            }
            return Err(self.other_type("a name is unknown"));
        }
        let integer = self.integer()?;
        u64::try_from(integer).map_err(|_| self.other_type("a number is out of range"))
    }

    #[cold]
    fn other_type(&self, what: &'static str) -> Unread {
        Unread::Shape { what, offset: self.scanner.at() }
    }
}

//! Attribute values to texts: strings as they are, numbers and booleans as JSON has them, bytes as base 64, lists and maps
//! as JSON.

use std::borrow::Cow;

use super::message::{Fields, Malformed};
use super::refusal::Refusal;
use super::{NESTED_BYTES_MAX, NESTING_MAX};
use crate::wire::json::write::{write_json_number, write_json_string};

/// Hands on a refusal, which is no malformed message.
macro_rules! refuse_or {
    ($outcome:expr) => {
        if let Err(refusal) = $outcome {
            return Ok(Err(refusal));
        }
    };
}

/// An attribute: a name and a value, or why it is none.
pub(super) type Attribute<'a> = Result<(&'a str, Cow<'a, str>), Refusal>;

/// Reads a `KeyValue`.
pub(super) fn read(message: &[u8]) -> Result<Attribute<'_>, Malformed> {
    let (key, value) = key_value(message)?;
    let Ok(key) = std::str::from_utf8(key) else {
        return Ok(Err(Refusal::NotUtf8 { what: "an attribute's name" }));
    };
    Ok(text(value)?.map(|value| (key, value)))
}

fn key_value(message: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut key, mut value) = (&[][..], &[][..]);
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => key = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// An `AnyValue` as a text; without a value an empty one.
pub(super) fn text(message: &[u8]) -> Result<Result<Cow<'_, str>, Refusal>, Malformed> {
    const STRING: u32 = 1;
    // Nearly all values are one string and nothing else.
    let mut fields = Fields::of(message);
    if let Some(field) = fields.next().transpose()?.filter(|field| field.number == STRING)
        && fields.next().is_none()
    {
        let text = std::str::from_utf8(field.bytes()?).map(Cow::Borrowed);
        return Ok(text.map_err(|_| Refusal::NotUtf8 { what: "an attribute" }));
    }
    if message.len() > NESTED_BYTES_MAX {
        return Ok(Err(Refusal::LongAttribute { bytes: message.len() }));
    }
    let mut out = Vec::new();
    let written = write(message, &mut out, 0)?;
    Ok(written.map(|()| Cow::Owned(String::from_utf8_lossy(&out).into_owned())))
}

/// Writes a value; within lists and maps as JSON, outside of them as the text alone.
fn write(message: &[u8], out: &mut Vec<u8>, depth: usize) -> Result<Result<(), Refusal>, Malformed> {
    let start = out.len();
    let mut is_set = false;
    for field in Fields::of(message) {
        let field = field?;
        if !(1..=7).contains(&field.number) {
            continue;
        }
        // Of several values the last one counts.
        out.truncate(start);
        is_set = true;
        match field.number {
            1 => match std::str::from_utf8(field.bytes()?) {
                Ok(text) if depth == 0 => out.extend_from_slice(text.as_bytes()),
                Ok(text) => write_json_string(out, text),
                Err(_) => return Ok(Err(Refusal::NotUtf8 { what: "an attribute" })),
            },
            2 => out.extend_from_slice(if field.varint()? == 0 { b"false" } else { b"true" }),
            3 => out.extend_from_slice(itoa::Buffer::new().format(field.varint()?.cast_signed()).as_bytes()),
            4 => write_double(out, field.double()?, depth > 0),
            5 | 6 if depth >= NESTING_MAX => return Ok(Err(Refusal::Nested)),
            5 => refuse_or!(write_list(field.bytes()?, out, depth + 1)?),
            6 => refuse_or!(write_map(field.bytes()?, out, depth + 1)?),
            _ => write_base64(out, field.bytes()?, depth > 0),
        }
    }
    if !is_set && depth > 0 {
        out.extend_from_slice(b"null");
    }
    Ok(Ok(()))
}

fn write_list(message: &[u8], out: &mut Vec<u8>, depth: usize) -> Result<Result<(), Refusal>, Malformed> {
    out.push(b'[');
    let start = out.len();
    for field in Fields::of(message) {
        let field = field?;
        if field.number == 1 {
            separate(out, start);
            refuse_or!(write(field.bytes()?, out, depth)?);
        }
    }
    out.push(b']');
    Ok(Ok(()))
}

fn write_map(message: &[u8], out: &mut Vec<u8>, depth: usize) -> Result<Result<(), Refusal>, Malformed> {
    out.push(b'{');
    let start = out.len();
    for field in Fields::of(message) {
        let field = field?;
        if field.number != 1 {
            continue;
        }
        let (key, value) = key_value(field.bytes()?)?;
        let Ok(key) = std::str::from_utf8(key) else {
            return Ok(Err(Refusal::NotUtf8 { what: "an attribute's name" }));
        };
        separate(out, start);
        write_json_string(out, key);
        out.push(b':');
        refuse_or!(write(value, out, depth)?);
    }
    out.push(b'}');
    Ok(Ok(()))
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

fn write_double(out: &mut Vec<u8>, double: f64, quoted: bool) {
    let name = if double.is_nan() {
        "NaN"
    } else if double == f64::INFINITY {
        "Infinity"
    } else if double == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        return write_json_number(out, double);
    };
    if quoted { write_json_string(out, name) } else { out.extend_from_slice(name.as_bytes()) }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8], quoted: bool) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quote: &[u8] = if quoted { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= three.len() { digit } else { b'=' });
        }
    }
    out.extend_from_slice(quote);
}

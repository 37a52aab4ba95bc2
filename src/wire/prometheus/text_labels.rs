//! What stands before the value of a line: `name{label="value",…}`, or `{"name",label="value"}` with names that need
//! quotes.

use std::borrow::Cow;

use memchr::memchr2;

use super::exposition::{Labels, NAME_LABEL};
use super::refusal::Refusal;

/// What no name holds without quotes, beside blanks.
const MARKS: &[u8] = b"{}\",=#\\";

/// Reads the labels that `line` begins with, its name among them, and answers what follows.
pub(super) fn read<'a>(line: &'a [u8], labels: &mut Labels<'a>) -> Result<&'a [u8], Refusal> {
    let (name, rest) = bare(line);
    if !name.is_empty() {
        labels.push((Cow::Borrowed(NAME_LABEL), Cow::Borrowed(name)));
    }
    let spaced = rest.trim_ascii_start();
    if let Some(inside) = spaced.strip_prefix(b"{") {
        let rest = braces(inside, labels)?;
        return if labels.iter().any(|(name, _)| **name == *NAME_LABEL) { Ok(rest) } else { Err(Refusal::NoName) };
    }
    match rest.first() {
        _ if name.is_empty() => Err(Refusal::NoName),
        None | Some(b' ' | b'\t') => Ok(rest),
        Some(_) => Err(Refusal::Labels { reason: "a name holds what must be quoted" }),
    }
}

/// Reads up to the closing brace and answers what follows it.
fn braces<'a>(inside: &'a [u8], labels: &mut Labels<'a>) -> Result<&'a [u8], Refusal> {
    let refused = |reason| Refusal::Labels { reason };
    let mut rest = inside.trim_ascii_start();
    loop {
        if let Some(behind) = rest.strip_prefix(b"}") {
            return Ok(behind);
        }
        let quoted = rest.strip_prefix(b"\"");
        let (name, behind) = match quoted {
            Some(text) => text_end(text)?,
            None => {
                let (name, behind) = bare(rest);
                (Cow::Borrowed(name), behind)
            }
        };
        if name.is_empty() {
            return Err(refused("a label has no name"));
        }
        let behind = behind.trim_ascii_start();
        rest = match behind.strip_prefix(b"=") {
            Some(value) => {
                let value = value.trim_ascii_start().strip_prefix(b"\"").ok_or(refused("a value has no quotes"))?;
                let (value, behind) = text_end(value)?;
                labels.push((name, value));
                behind.trim_ascii_start()
            }
            None if quoted.is_some() => {
                labels.push((Cow::Borrowed(NAME_LABEL), name));
                behind
            }
            None => return Err(refused("a label has no value")),
        };
        rest = match rest.first() {
            Some(b',') => rest[1..].trim_ascii_start(),
            Some(b'}') => rest,
            _ => return Err(refused("no comma or brace after a label")),
        };
    }
}

/// A name without quotes, and what follows it.
fn bare(text: &[u8]) -> (&[u8], &[u8]) {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || MARKS.contains(byte);
    text.split_at(text.iter().position(ends).unwrap_or(text.len()))
}

/// The text up to the quote that closes it, its escapes resolved, and what follows.
fn text_end(text: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), Refusal> {
    let open = Refusal::Labels { reason: "a quote is not closed" };
    let end = memchr2(b'"', b'\\', text).ok_or(open.clone())?;
    if text[end] == b'"' {
        return Ok((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut resolved = text[..end].to_vec();
    let mut rest = &text[end..];
    loop {
        match rest {
            [b'"', behind @ ..] => return Ok((Cow::Owned(resolved), behind)),
            [b'\\', b'n', behind @ ..] => {
                resolved.push(b'\n');
                rest = behind;
            }
            [b'\\', mark @ (b'\\' | b'"'), behind @ ..] => {
                resolved.push(*mark);
                rest = behind;
            }
            // Before anything else a backslash is text.
            [byte, behind @ ..] => {
                resolved.push(*byte);
                rest = behind;
            }
            [] => return Err(open),
        }
    }
}

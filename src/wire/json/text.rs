//! A string of the document, as a range of it, and what it says once its escapes are resolved.

use std::borrow::Cow;

use crate::model::Span;

/// The bytes between the quotes of a string whose escapes have been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    pub span: Span,
    pub escaped: bool,
}

/// Half of a surrogate pair without the other half: JSON can spell it, but it is no character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoneSurrogate;

impl Text {
    #[inline(always)]
    pub(super) fn plain(start: usize, end: usize) -> Self {
        Self { span: Span::new(start, end), escaped: false }
    }

    pub(super) fn escaped(start: usize, end: usize) -> Self {
        Self { span: Span::new(start, end), escaped: true }
    }

    /// The string as it was spelt.
    #[inline(always)]
    pub fn raw(self, body: &[u8]) -> &[u8] {
        self.span.of(body)
    }

    /// The string as it is meant.
    ///
    /// # Errors
    /// When an escape is a lone surrogate.
    pub fn decoded(self, body: &[u8]) -> Result<Cow<'_, [u8]>, LoneSurrogate> {
        if self.escaped { unescape(self.raw(body)).map(Cow::Owned) } else { Ok(Cow::Borrowed(self.raw(body))) }
    }
}

/// Resolves the escapes of the bytes between two quotes. Escapes that the scanner would have refused are kept as they
/// are, so that any input has an answer.
///
/// # Errors
/// When an escape is a lone surrogate.
pub fn unescape(raw: &[u8]) -> Result<Vec<u8>, LoneSurrogate> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(place) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..place]);
        rest = &rest[place + 1..];
        let Some((&kind, after)) = rest.split_first() else {
            out.push(b'\\');
            return Ok(out);
        };
        rest = after;
        match kind {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => rest = unescape_code_point(rest, &mut out)?,
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// Resolves the hexadecimal digits behind a `\u`, and the second half of a pair; returns what follows them.
fn unescape_code_point<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], LoneSurrogate> {
    let Some((unit, mut rest)) = code_unit(rest) else {
        out.extend_from_slice(b"\\u");
        return Ok(rest);
    };
    let mut code_point = u32::from(unit);
    if (0xd800..0xdc00).contains(&unit) {
        let (low, after) = rest.strip_prefix(b"\\u").and_then(code_unit).ok_or(LoneSurrogate)?;
        let low = u32::from(low).checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(LoneSurrogate)?;
        code_point = 0x10000 + ((code_point - 0xd800) << 10) + low;
        rest = after;
    }
    let character = char::from_u32(code_point).ok_or(LoneSurrogate)?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

fn code_unit(rest: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = rest.split_first_chunk::<4>()?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | (*digit as char).to_digit(16)? as u16;
    }
    Some((unit, rest))
}

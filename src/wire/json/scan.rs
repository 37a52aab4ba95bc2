//! The scanner: where in the document we are, and the tokens every dialect needs.
//!
//! The body is checked to be UTF-8 and small enough for 32-bit offsets once, at the start; nothing later asks again.
//! The byte 0 stands for the end of the document: it can begin no token, so every `match` refuses it by itself.

use super::text::Text;
use super::{Fault, Syntax};

#[derive(Debug)]
pub struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// # Errors
    /// When `body` is not UTF-8, or too large for a [`Text`].
    pub fn new(body: &'a [u8]) -> Result<Self, Fault> {
        if body.len() > u32::MAX as usize {
            return Err(Fault { offset: u32::MAX as usize, syntax: Syntax::TooLarge });
        }
        match std::str::from_utf8(body) {
            Ok(_) => Ok(Self { body, at: 0 }),
            Err(invalid) => Err(Fault { offset: invalid.valid_up_to(), syntax: Syntax::NotUtf8 }),
        }
    }

    #[inline(always)]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The offset of the next byte.
    #[inline(always)]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What has not been read yet.
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    /// Passes over `bytes` bytes that the caller has looked at.
    #[inline(always)]
    pub fn step(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Goes on at `at`, wherever that is.
    pub fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next byte, white space or not; 0 at the end.
    #[inline(always)]
    pub fn byte(&self) -> u8 {
        self.body.get(self.at).copied().unwrap_or(0)
    }

    /// Passes over white space and returns the byte that follows it, which stays unread; 0 at the end.
    #[inline(always)]
    pub fn token(&mut self) -> u8 {
        let byte = self.byte();
        if byte > b' ' { byte } else { self.token_after_space() }
    }

    /// A fault at the next byte: `expected` is missing, or the document has ended.
    #[cold]
    pub fn unexpected(&self, expected: &'static str) -> Fault {
        self.fault(Syntax::Expected(expected))
    }

    /// A fault at the next byte, or [`Syntax::Truncated`] when there is none.
    #[cold]
    pub fn fault(&self, syntax: Syntax) -> Fault {
        let syntax = if self.at >= self.body.len() { Syntax::Truncated } else { syntax };
        Fault { offset: self.at.min(self.body.len()), syntax }
    }

    /// Passes over `mark`, after white space.
    ///
    /// # Errors
    /// When something else is next.
    #[inline(always)]
    pub fn expect(&mut self, mark: u8, name: &'static str) -> Result<(), Fault> {
        if self.token() != mark {
            return Err(self.unexpected(name));
        }
        self.at += 1;
        Ok(())
    }

    /// Passes over `true`, `false` or `null`.
    ///
    /// # Errors
    /// When something else is next, at the byte where it differs.
    pub fn literal(&mut self, literal: &'static str) -> Result<(), Fault> {
        for expected in literal.bytes() {
            if self.byte() != expected {
                return Err(self.unexpected(literal));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Passes over the string whose opening quote is next, and checks its escapes.
    ///
    /// # Errors
    /// When it has no end, an invalid escape or a control character.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Text, Fault> {
        self.at += 1;
        let start = self.at;
        while let Some(word) = self.rest().first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                break;
            }
            self.at += 8;
        }
        if self.byte() == b'"' {
            self.at += 1;
            return Ok(Text::plain(start, self.at - 1));
        }
        self.string_end(start)
    }

    #[inline(never)]
    fn token_after_space(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    /// The rest of a string byte by byte: one with escapes, or one near the end of the document.
    #[inline(never)]
    fn string_end(&mut self, start: usize) -> Result<Text, Fault> {
        let mut escaped = false;
        loop {
            match self.body.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    let end = self.at - 1;
                    return Ok(if escaped { Text::escaped(start, end) } else { Text::plain(start, end) });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(0..0x20) => return Err(self.fault(Syntax::ControlCharacter)),
                Some(_) => self.at += 1,
                None => return Err(self.fault(Syntax::Truncated)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let digits = match self.byte() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
            b'u' => 4,
            _ => return Err(self.fault(Syntax::InvalidEscape)),
        };
        self.at += 1;
        for _ in 0..digits {
            if !self.byte().is_ascii_hexdigit() {
                return Err(self.fault(Syntax::InvalidEscape));
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// Marks, in their top bit, the bytes of `word` that end a run of plain string bytes: quotes, backslashes and control
/// characters. Bytes above the first marked one may be marked wrongly, because subtraction borrows upwards.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let quotes = word ^ u64::from_le_bytes([b'"'; 8]);
    let backslashes = word ^ u64::from_le_bytes([b'\\'; 8]);
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let backslashes = backslashes.wrapping_sub(ONES) & !backslashes;
    let controls = word.wrapping_sub(ONES << 5) & !word;
    (quotes | backslashes | controls) & TOPS
}

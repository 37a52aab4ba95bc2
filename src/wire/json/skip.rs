//! Passing over a value nobody asked for, with a full check of its grammar and without recursion.

use super::{DEPTH_MAX, Fault, Scanner, Syntax};

/// The containers that are open, innermost last: one bit each, set for an object.
#[derive(Debug, Default)]
struct Open {
    objects: u64,
    count: u32,
}

impl Scanner<'_> {
    /// Passes over the value that is next, which stands within `depth` containers.
    ///
    /// # Errors
    /// When it is no JSON value, or nested deeper than [`DEPTH_MAX`].
    pub fn skip_value(&mut self, depth: u32) -> Result<(), Fault> {
        let mut open = Open::default();
        loop {
            match self.token() {
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => self.skip_number()?,
                b'{' => {
                    if self.enter(&mut open, depth, true)? {
                        self.member_name()?;
                        continue;
                    }
                }
                b'[' => {
                    if self.enter(&mut open, depth, false)? {
                        continue;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => return Err(self.unexpected("a value")),
            }
            if self.leave(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Passes over the name of a member and the colon behind it.
    #[inline(always)]
    fn member_name(&mut self) -> Result<(), Fault> {
        if self.token() != b'"' {
            return Err(self.unexpected("a quoted name"));
        }
        self.string()?;
        self.expect(b':', "a colon")
    }

    /// Opens the container that is next; false when it is empty and thus closed again.
    #[inline(always)]
    fn enter(&mut self, open: &mut Open, depth: u32, object: bool) -> Result<bool, Fault> {
        if depth + open.count >= DEPTH_MAX {
            return Err(self.fault(Syntax::TooDeep));
        }
        self.step(1);
        if self.token() == if object { b'}' } else { b']' } {
            self.step(1);
            return Ok(false);
        }
        open.objects = open.objects << 1 | u64::from(object);
        open.count += 1;
        Ok(true)
    }

    /// Closes the containers that end behind a value; true when that was the last one, false when the next value of
    /// an open one follows.
    #[inline(always)]
    fn leave(&mut self, open: &mut Open) -> Result<bool, Fault> {
        while open.count > 0 {
            let object = open.objects & 1 == 1;
            match (self.token(), object) {
                (b',', true) => {
                    self.step(1);
                    self.member_name()?;
                    return Ok(false);
                }
                (b',', false) => {
                    self.step(1);
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => self.step(1),
                (_, true) => return Err(self.unexpected("a comma or a closing brace")),
                (_, false) => return Err(self.unexpected("a comma or a closing bracket")),
            }
            open.objects >>= 1;
            open.count -= 1;
        }
        Ok(true)
    }
}

//! Numbers: the grammar of JSON.

use super::{Fault, Scanner};
use crate::wire::decimal::{Decimal, EXPONENT_MAX, digits, nearest};

impl Scanner<'_> {
    /// Reads the number that is next. One too large for a 64-bit float comes out as an infinity.
    ///
    /// # Errors
    /// When it does not satisfy the grammar.
    #[inline(always)]
    pub fn number(&mut self) -> Result<f64, Fault> {
        let start = self.at();
        let decimal = self.decimal()?;
        Ok(decimal.exact().unwrap_or_else(|| nearest(&self.body()[start..self.at()])))
    }

    /// Passes over the number that is next.
    ///
    /// # Errors
    /// When it does not satisfy the grammar.
    pub fn skip_number(&mut self) -> Result<(), Fault> {
        self.decimal().map(|_| ())
    }

    #[inline(always)]
    fn decimal(&mut self) -> Result<Decimal, Fault> {
        let negative = self.byte() == b'-';
        self.step(usize::from(negative));
        let mut mantissa = 0;
        let mut digits = if self.byte() == b'0' {
            self.step(1);
            1
        } else {
            self.digits(&mut mantissa)?
        };
        let mut exponent = 0;
        if self.byte() == b'.' {
            self.step(1);
            let fraction_digits = self.digits(&mut mantissa)?;
            digits += fraction_digits;
            exponent = -(fraction_digits as i64);
        }
        if self.byte() | 0x20 == b'e' {
            exponent += self.exponent()?;
        }
        Ok(Decimal { negative, mantissa, digits, exponent })
    }

    /// Reads one digit or more.
    #[inline(always)]
    fn digits(&mut self, mantissa: &mut u64) -> Result<usize, Fault> {
        let count = digits(self.rest(), mantissa);
        self.step(count);
        if count == 0 { Err(self.unexpected("a digit")) } else { Ok(count) }
    }

    #[inline(never)]
    fn exponent(&mut self) -> Result<i64, Fault> {
        self.step(1);
        let negative = self.byte() == b'-';
        self.step(usize::from(matches!(self.byte(), b'-' | b'+')));
        let start = self.at();
        self.digits(&mut 0)?;
        let digits = &self.body()[start..self.at()];
        let exponent = digits.iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
        Ok(if negative { -exponent } else { exponent })
    }
}

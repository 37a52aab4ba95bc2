//! One item of `metrics`: its fields in any order, read into a sample or a refusal.
//!
//! Fields that mostly repeat from item to item (labels, timestamp, server) are compared with the last spelling first:
//! equal bytes that end in the closing quote or brace are the same value, and need no second parse.

use uuid::Uuid;

use super::field::{Field, Order, REQUIRED};
use super::refusal::Refusal;
use crate::model::{Micros, RawIdentity, Span};
use crate::wire::json::{Fault, Kind, Scanner, Text};
use crate::wire::lines::spelling;

/// How many containers stand around the fields of an item: the document, `metrics` and the item.
const DEPTH: u32 = 3;
/// Tokens that are no JSON, but that agents print for numbers which are not finite. Longer ones before their prefixes.
const NOT_FINITE: [&[u8]; 5] = [b"Infinity", b"infinity", b"inf", b"NaN", b"nan"];

/// What an item says so far.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) identity: RawIdentity,
    pub(super) time: Micros,
    pub(super) value: f64,
    /// Nil when the item leaves its server to the document.
    pub(super) server: Uuid,
    /// Between its quotes; empty without one, and in a document.
    pub(super) hostname: Span,
    /// The first reason to refuse the item.
    pub(super) refusal: Option<Refusal>,
    /// The known fields that appeared, and those of them that hold something, as [`Field::bit`]s.
    seen: u8,
    present: u8,
}

/// Reads items, and remembers of the last one what the next is likely to repeat.
#[derive(Debug, Default)]
pub(super) struct ItemReader<'a> {
    /// Whether an item is a line of its own: then it may name its host, and floats that are no numbers have a spelling.
    lines: bool,
    order: Order,
    timestamp: Last<'a, Micros>,
    server: Last<'a, Uuid>,
    labels: &'a [u8],
}

/// The last spelling of a field, quotes included, and its value. Empty before the first.
#[derive(Debug, Default)]
struct Last<'a, T> {
    spelling: &'a [u8],
    value: T,
}

impl<'a> ItemReader<'a> {
    /// For items that come one a line.
    pub(super) fn of_lines() -> Self {
        Self { lines: true, ..Self::default() }
    }

    /// Reads the object that is next.
    ///
    /// # Errors
    /// When the document is not JSON.
    #[inline(always)]
    pub(super) fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<Item, Fault> {
        let mut item = Item::default();
        scanner.step(1);
        if scanner.token() == b'}' {
            scanner.step(1);
        } else {
            self.fields(scanner, &mut item)?;
        }
        if item.present & REQUIRED != REQUIRED
            && let Some(field) = Field::first_missing(item.present)
        {
            item.refuse(Refusal::Missing { field });
        }
        Ok(item)
    }

    #[inline(always)]
    fn fields(&mut self, scanner: &mut Scanner<'a>, item: &mut Item) -> Result<(), Fault> {
        for place in 0.. {
            let field = self.order.read(scanner, place)?;
            if item.seen & field.bit() != 0 {
                item.refuse(Refusal::Duplicate { field });
                scanner.skip_value(DEPTH)?;
            } else {
                self.field(scanner, item, field)?;
            }
            match scanner.token() {
                b',' => scanner.step(1),
                b'}' => break,
                _ => return Err(scanner.unexpected("a comma or a closing brace")),
            }
        }
        scanner.step(1);
        Ok(())
    }

    #[inline(always)]
    fn field(&mut self, scanner: &mut Scanner<'a>, item: &mut Item, field: Field) -> Result<(), Fault> {
        if field == Field::Other || (field == Field::Hostname && !self.lines) {
            return scanner.skip_value(DEPTH);
        }
        item.seen |= field.bit();
        let first = scanner.token();
        match (field, first) {
            (Field::MetricType, b'"') => item.identity.metric_type = scanner.string()?.span,
            (Field::MetricName, b'"') => item.identity.metric_name = scanner.string()?.span,
            (Field::Timestamp, b'"') => self.timestamp(scanner, item)?,
            (Field::ServerId, b'"') => self.server(scanner, item)?,
            (Field::Labels, b'{') => self.labels(scanner, item)?,
            (Field::Hostname, b'"') => item.hostname = scanner.string()?.span,
            (Field::Value, b'"') if self.lines => return spelt_value(scanner, item),
            (Field::Value, b'-' | b'0'..=b'9' | b'N' | b'n' | b'I' | b'i') => return value(scanner, item),
            (_, b'n') => return scanner.literal("null"),
            _ => return wrong_type(scanner, item, field),
        }
        item.present |= field.bit();
        Ok(())
    }

    #[inline(always)]
    fn timestamp(&mut self, scanner: &mut Scanner<'a>, item: &mut Item) -> Result<(), Fault> {
        if let Some(time) = self.timestamp.again(scanner) {
            item.time = time;
            return Ok(());
        }
        let start = scanner.at();
        let text = scanner.string()?;
        let time = if text.escaped {
            unusual(text, scanner, Micros::parse_rfc3339)
        } else {
            Micros::parse_rfc3339(text.raw(scanner.body()))
        };
        match time {
            Some(time) => {
                item.time = time;
                self.timestamp = Last { spelling: &scanner.body()[start..scanner.at()], value: time };
            }
            None => item.refuse(Refusal::Timestamp { text: text.span }),
        }
        Ok(())
    }

    #[inline(always)]
    fn server(&mut self, scanner: &mut Scanner<'a>, item: &mut Item) -> Result<(), Fault> {
        if let Some(server) = self.server.again(scanner) {
            item.server = server;
            return Ok(());
        }
        let start = scanner.at();
        let text = scanner.string()?;
        match server_id(text, scanner) {
            Some(server) => {
                item.server = server;
                self.server = Last { spelling: &scanner.body()[start..scanner.at()], value: server };
            }
            None => item.refuse(Refusal::ServerId { text: text.span }),
        }
        Ok(())
    }

    #[inline(always)]
    fn labels(&mut self, scanner: &mut Scanner<'a>, item: &mut Item) -> Result<(), Fault> {
        let start = scanner.at();
        if !self.labels.is_empty() && scanner.rest().starts_with(self.labels) {
            scanner.step(self.labels.len());
        } else {
            scanner.skip_value(DEPTH)?;
            self.labels = &scanner.body()[start..scanner.at()];
        }
        item.identity.labels = Span::new(start, scanner.at());
        Ok(())
    }
}

impl<T: Copy> Last<'_, T> {
    /// The last value, if it is spelt the same way again; passes over it.
    #[inline(always)]
    fn again(&self, scanner: &mut Scanner<'_>) -> Option<T> {
        let again = !self.spelling.is_empty() && scanner.rest().starts_with(self.spelling);
        again.then(|| {
            scanner.step(self.spelling.len());
            self.value
        })
    }
}

impl Item {
    /// Keeps the first reason: later ones often follow from it.
    #[cold]
    fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }
}

/// The server a string names; nil for an empty one, none when it is no UUID.
pub(super) fn server_id(text: Text, scanner: &Scanner<'_>) -> Option<Uuid> {
    unusual(text, scanner, |text| if text.is_empty() { Some(Uuid::nil()) } else { Uuid::try_parse_ascii(text).ok() })
}

/// Parses a string that may hold escapes; none when it holds a lone surrogate.
#[inline(never)]
fn unusual<T>(text: Text, scanner: &Scanner<'_>, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    text.decoded(scanner.body()).ok().and_then(|text| parse(&text))
}

/// Reads the value of an item: a number, null, or one of the tokens for numbers that are not finite.
#[inline(always)]
fn value(scanner: &mut Scanner<'_>, item: &mut Item) -> Result<(), Fault> {
    let start = scanner.at();
    let digit = scanner.byte() != b'-' || scanner.rest().get(1).is_none_or(u8::is_ascii_digit);
    if !digit || scanner.byte() > b'9' {
        return no_number(scanner, item);
    }
    item.value = scanner.number()?;
    item.present |= Field::Value.bit();
    if item.value.is_infinite() {
        item.refuse(Refusal::OutOfRange { number: Span::new(start, scanner.at()) });
    }
    Ok(())
}

#[cold]
fn no_number(scanner: &mut Scanner<'_>, item: &mut Item) -> Result<(), Fault> {
    let start = scanner.at();
    if scanner.byte() == b'-' {
        scanner.step(1);
    }
    if let Some(token) = NOT_FINITE.into_iter().find(|token| scanner.rest().starts_with(token)) {
        scanner.step(token.len());
        item.present |= Field::Value.bit();
        item.refuse(Refusal::NotFinite { token: Span::new(start, scanner.at()) });
        return Ok(());
    }
    match scanner.byte() {
        _ if scanner.at() > start => Err(scanner.unexpected("a digit")),
        b'n' => scanner.literal("null"),
        _ => Err(scanner.unexpected("a value")),
    }
}

/// A float that JSON has no number for.
#[cold]
fn spelt_value(scanner: &mut Scanner<'_>, item: &mut Item) -> Result<(), Fault> {
    let text = scanner.string()?;
    item.present |= Field::Value.bit();
    match spelling::read(text.raw(scanner.body())) {
        Some(value) => item.value = value,
        None => item.refuse(Refusal::Spelling { text: text.span }),
    }
    Ok(())
}

#[cold]
fn wrong_type(scanner: &mut Scanner<'_>, item: &mut Item, field: Field) -> Result<(), Fault> {
    let Some(got) = Kind::of(scanner.token()) else { return Err(scanner.unexpected("a value")) };
    item.refuse(Refusal::WrongType { field, got });
    scanner.skip_value(DEPTH)
}

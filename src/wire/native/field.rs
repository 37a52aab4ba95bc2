//! The fields of an item, and how their names are told apart without scanning them.
//!
//! Agents write every item with the same fields in the same order. So the reader expects at each place the field the
//! last item had there, and one comparison of 16 bytes confirms the name, its quotes and the colon.

use crate::wire::json::{Fault, Scanner};

/// A field of an item. The order is the order in which missing ones are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    MetricType,
    MetricName,
    Value,
    Timestamp,
    Labels,
    ServerId,
    /// Means something only where items come one a line.
    Hostname,
    /// Any field this dialect does not know.
    Other,
}

/// The fields without which an item is no sample, as [`Field::bit`]s.
pub(super) const REQUIRED: u8 =
    Field::MetricType.bit() | Field::MetricName.bit() | Field::Value.bit() | Field::Timestamp.bit();

const KNOWN: [Field; 7] = [
    Field::MetricType,
    Field::MetricName,
    Field::Value,
    Field::Timestamp,
    Field::Labels,
    Field::ServerId,
    Field::Hostname,
];

/// How many leading places of an item are remembered; later fields are looked up by name.
const PLACES: usize = 8;

/// `"name":` as the low bytes of a number. No text matches the one of [`Field::Other`].
#[derive(Clone, Copy)]
struct Spelling {
    bytes: u128,
    mask: u128,
    length: usize,
}

const SPELLINGS: [Spelling; 8] = [
    Spelling::of(b"\"metric_type\":"),
    Spelling::of(b"\"metric_name\":"),
    Spelling::of(b"\"value\":"),
    Spelling::of(b"\"timestamp\":"),
    Spelling::of(b"\"labels\":"),
    Spelling::of(b"\"server_id\":"),
    Spelling::of(b"\"hostname\":"),
    Spelling { bytes: 1, mask: 0, length: 0 },
];

/// The field that stood at each place of the last item.
#[derive(Debug)]
pub(super) struct Order([Field; PLACES]);

impl Default for Order {
    fn default() -> Self {
        Self([Field::Other; PLACES])
    }
}

impl Field {
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MetricType => "metric_type",
            Self::MetricName => "metric_name",
            Self::Value => "value",
            Self::Timestamp => "timestamp",
            Self::Labels => "labels",
            Self::ServerId => "server_id",
            Self::Hostname => "hostname",
            Self::Other => "field",
        }
    }

    /// The first required field that is not among `present`.
    pub(super) fn first_missing(present: u8) -> Option<Self> {
        KNOWN.into_iter().find(|field| field.bit() & REQUIRED & !present != 0)
    }

    fn named(name: &[u8]) -> Self {
        KNOWN.into_iter().find(|field| field.name().as_bytes() == name).unwrap_or(Self::Other)
    }
}

impl Order {
    /// Reads the name of the `place`th field of an item and the colon behind it.
    ///
    /// # Errors
    /// When a name and a colon are not what is next.
    #[inline(always)]
    pub(super) fn read(&mut self, scanner: &mut Scanner<'_>, place: usize) -> Result<Field, Fault> {
        if scanner.token() != b'"' {
            return Err(scanner.unexpected("a quoted name"));
        }
        if let (Some(expected), Some(next)) = (self.0.get(place), scanner.rest().first_chunk::<16>()) {
            let spelling = &SPELLINGS[*expected as usize];
            if u128::from_le_bytes(*next) & spelling.mask == spelling.bytes {
                scanner.step(spelling.length);
                return Ok(*expected);
            }
        }
        self.look_up(scanner, place)
    }

    #[inline(never)]
    fn look_up(&mut self, scanner: &mut Scanner<'_>, place: usize) -> Result<Field, Fault> {
        let name = scanner.string()?;
        scanner.expect(b':', "a colon")?;
        let field = name.decoded(scanner.body()).map_or(Field::Other, |name| Field::named(&name));
        if let Some(expected) = self.0.get_mut(place) {
            *expected = field;
        }
        Ok(field)
    }
}

impl Spelling {
    const fn of(text: &[u8]) -> Self {
        let (mut bytes, mut mask, mut index) = (0, 0, 0);
        while index < text.len() {
            bytes |= (text[index] as u128) << (8 * index);
            mask |= 0xff << (8 * index);
            index += 1;
        }
        Self { bytes, mask, length: text.len() }
    }
}

//! Labels as remote write 1.0 spells them: `0x0a length (0x0a length name) (0x12 length value)`, one after the other.
//! An empty name or value is left out, as its encoders do, so that all make the same bytes of the same labels.

use super::protobuf::{Malformed, Message, Value};
use crate::model::Span;

const LABEL_TAG: u8 = 0x0a;
const NAME_TAG: u8 = 0x0a;
const VALUE_TAG: u8 = 0x12;

/// Adds a label to `text`.
#[inline]
pub(super) fn push(text: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    text.push(LABEL_TAG);
    push_length(text, part_bytes(name) + part_bytes(value));
    push_part(text, NAME_TAG, name);
    push_part(text, VALUE_TAG, value);
}

/// A name and a value.
type Label<'a> = (&'a [u8], &'a [u8]);

/// The labels that `spelt` holds.
pub(super) struct Labels<'a> {
    spelt: &'a [u8],
    message: Message<'a>,
}

impl<'a> Labels<'a> {
    pub(super) fn of(spelt: &'a [u8]) -> Self {
        Self { spelt, message: Message::within(spelt, Span::new(0, spelt.len())) }
    }

    pub(super) fn next(&mut self) -> Result<Option<Label<'a>>, Malformed> {
        let Some(field) = self.message.next()? else { return Ok(None) };
        let Value::Bytes(label) = field.value else { return Err(Malformed::NoField { at: field.start }) };
        let mut parts = Message::within(self.spelt, label);
        let (mut name, mut value) = (Span::default(), Span::default());
        while let Some(part) = parts.next()? {
            match (part.number, part.value) {
                (1, Value::Bytes(text)) => name = text,
                (2, Value::Bytes(text)) => value = text,
                _ => {}
            }
        }
        Ok(Some((name.of(self.spelt), value.of(self.spelt))))
    }
}

#[inline(always)]
fn push_part(text: &mut Vec<u8>, tag: u8, part: &[u8]) {
    if !part.is_empty() {
        text.push(tag);
        push_length(text, part.len());
        text.extend_from_slice(part);
    }
}

#[inline(always)]
fn part_bytes(part: &[u8]) -> usize {
    if part.is_empty() { 0 } else { 1 + length_bytes(part.len()) + part.len() }
}

#[inline(always)]
fn length_bytes(length: usize) -> usize {
    let bits = usize::BITS - (length | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[inline(always)]
fn push_length(text: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        text.push(length as u8 | 0x80);
        length >>= 7;
    }
    text.push(length as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn labels_that_were_spelt_are_read_back(
            labels in prop::collection::vec((".{0,8}", "[a-z]{0,300}"), 0..6)
        ) {
            let mut text = Vec::new();
            labels.iter().for_each(|(name, value)| push(&mut text, name.as_bytes(), value.as_bytes()));
            let mut found = Labels::of(&text);
            for (name, value) in &labels {
                prop_assert_eq!(found.next().unwrap(), Some((name.as_bytes(), value.as_bytes())));
            }
            prop_assert_eq!(found.next().unwrap(), None);
        }
    }
}

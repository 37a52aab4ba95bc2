//! Where the series of a body stand, for those who show one that was refused.

use std::ops::Range;

use super::protobuf::{Message, Value};
use super::{write1, write2};
use crate::model::Span;

/// The series of a body of remote write 1.0, up to where it cannot be read any more.
pub fn of_write1(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    fields(body, write1::SERIES)
}

/// The same of 2.0.
pub fn of_write2(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    fields(body, write2::SERIES)
}

fn fields(body: &[u8], number: u64) -> impl Iterator<Item = Range<usize>> {
    let mut message = Message::within(body, Span::new(0, body.len()));
    std::iter::from_fn(move || {
        loop {
            let field = message.next().ok()??;
            if let Value::Bytes(span) = field.value
                && field.number == number
            {
                return Some(span.start as usize..span.end as usize);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_the_messages_of_their_field() {
        let body = [0x0a, 2, b'a', b'b', 0x10, 7, 0x2a, 1, b'z', 0x0a, 0, 0x0a, 9, b'c'];
        let shown = |spans: Vec<Range<usize>>| -> Vec<&[u8]> { spans.into_iter().map(|span| &body[span]).collect() };
        assert_eq!(shown(of_write1(&body).collect()), [&b"ab"[..], b""]);
        assert_eq!(shown(of_write2(&body).collect()), [b"z"]);
    }
}

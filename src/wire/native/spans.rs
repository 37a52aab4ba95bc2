//! Where the items of a bulk body stand, for those who show one that was refused.

use std::ops::Range;

use super::item::ItemReader;
use crate::wire::json::Scanner;

/// Containers around the fields of the document, and around the items.
const FIELD_DEPTH: u32 = 1;
const ITEM_DEPTH: u32 = 2;

/// The items of `body` up to where it cannot be read any more. They are read as the decoder reads them, so that what it
/// refuses without giving up the document does not end them here.
pub fn items(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut scanner = Scanner::new(body).ok().and_then(at_items);
    let mut reader = ItemReader::default();
    std::iter::from_fn(move || {
        let open = scanner.as_mut()?;
        let first = open.token();
        let start = open.at();
        let read = match first {
            b']' | 0 => return None,
            b'{' => reader.read(open).map(drop),
            _ => open.skip_value(ITEM_DEPTH),
        };
        let item = start..open.at();
        if open.token() == b',' {
            open.step(1);
        }
        if read.is_err() {
            scanner = None;
            return None;
        }
        Some(item)
    })
}

/// Behind the bracket that opens the items.
fn at_items(mut scanner: Scanner<'_>) -> Option<Scanner<'_>> {
    scanner.expect(b'{', "a brace").ok()?;
    while scanner.token() == b'"' {
        let name = scanner.string().ok()?;
        scanner.expect(b':', "a colon").ok()?;
        if name.decoded(scanner.body()).is_ok_and(|name| *name == b"metrics"[..]) && scanner.token() == b'[' {
            scanner.step(1);
            return Some(scanner);
        }
        scanner.skip_value(FIELD_DEPTH).ok()?;
        if scanner.token() == b',' {
            scanner.step(1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_where_the_decoder_meets_them() {
        let check = |body: &str, expected: &[&str]| {
            let found: Vec<&str> = items(body.as_bytes()).map(|span| &body[span]).collect();
            assert_eq!(found, expected, "{body}");
        };
        check(r#"{"metrics":[{"a":1} , 2,"x"],"server_id":"s"}"#, &[r#"{"a":1}"#, "2", r#""x""#]);
        check(r#"{"server_id":[1,{"metrics":[7]}],"metrics":[ {} ]}"#, &["{}"]);
        check(r#"{"metrics":[1,{"a":}"#, &["1"]);
        check(r#"{"metrics":[{"value":NaN},{"value":1e999}]}"#, &[r#"{"value":NaN}"#, r#"{"value":1e999}"#]);
        check(r#"{"metrics":null}"#, &[]);
        check("[1]", &[]);
        check("", &[]);
    }
}

//! One record of CSV to its fields: a line, or several when a quoted field holds line ends.

use std::borrow::Cow;

/// Columns a record may have.
pub(super) const COLUMNS_MAX: usize = 64;

/// A field as it stands in the text, without the quotes around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) raw: &'a [u8],
    /// Whether quotes within are doubled.
    pub(super) doubled: bool,
}

impl<'a> Field<'a> {
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        if !self.doubled {
            return Cow::Borrowed(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(quote) = memchr::memchr(b'"', rest) {
            text.extend_from_slice(&rest[..=quote]);
            rest = rest.get(quote + 2..).unwrap_or_default();
        }
        text.extend_from_slice(rest);
        Cow::Owned(text)
    }
}

/// Reads the record at the beginning of `text` into `fields` and answers where it ends, its line end included. After a
/// problem that is the end of the line the problem is on.
pub(super) fn read<'a>(text: &'a [u8], fields: &mut Vec<Field<'a>>) -> (usize, Result<(), &'static str>) {
    fields.clear();
    let mut at = 0;
    loop {
        let (field, end) = match text.get(at) {
            Some(b'"') => match quoted(text, at + 1) {
                Ok(found) => found,
                Err(problem_at) => return (line_end(text, problem_at), Err("a quoted field does not end well")),
            },
            _ => plain(text, at),
        };
        if fields.len() == COLUMNS_MAX {
            return (line_end(text, end), Err("too many columns"));
        }
        fields.push(field);
        match text.get(end) {
            Some(b',') => at = end + 1,
            Some(b'\r') => return (end + 2, Ok(())),
            Some(_) => return (end + 1, Ok(())),
            None => return (text.len(), Ok(())),
        }
    }
}

/// A field and where it ends: at a comma, a line end, or the end of the text.
fn plain(text: &[u8], start: usize) -> (Field<'_>, usize) {
    let end = memchr::memchr2(b',', b'\n', &text[start..]).map_or(text.len(), |length| start + length);
    let at_line_end = text.get(end) != Some(&b',');
    // A carriage return belongs to the line end.
    let end = if at_line_end && end > start && text[end - 1] == b'\r' && end < text.len() { end - 1 } else { end };
    (Field { raw: &text[start..end], doubled: false }, end)
}

/// A field whose opening quote is before `start`, or the place where it turns out to be none.
fn quoted(text: &[u8], start: usize) -> Result<(Field<'_>, usize), usize> {
    let (mut at, mut doubled) = (start, false);
    loop {
        let quote = at + memchr::memchr(b'"', &text[at..]).ok_or(text.len())?;
        match text.get(quote + 1..).unwrap_or_default() {
            [b'"', ..] => (at, doubled) = (quote + 2, true),
            [] | [b',' | b'\n', ..] | [b'\r', b'\n', ..] => {
                return Ok((Field { raw: &text[start..quote], doubled }, quote + 1));
            }
            _ => return Err(quote + 1),
        }
    }
}

fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at.min(text.len())..]).map_or(text.len(), |length| at + length + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::csv_text::csv_text;
    use super::*;

    fn check(text: &str, expected: &[&str], end: usize) {
        let mut fields = Vec::new();
        assert_eq!(read(text.as_bytes(), &mut fields), (end, Ok(())), "{text:?}");
        let texts: Vec<_> = fields.iter().map(|field| String::from_utf8(field.text().into_owned()).unwrap()).collect();
        assert_eq!(texts, expected, "{text:?}");
    }

    #[test]
    fn records_end_with_their_line_or_the_text() {
        check("a,b\nc", &["a", "b"], 4);
        check("a,b\r\nc", &["a", "b"], 5);
        check("a,\"b\"\r\nc", &["a", "b"], 7);
        check("a,", &["a", ""], 2);
        check("\"a\nb\",c\n", &["a\nb", "c"], 8);
        check("\"\"\"\",x", &["\"", "x"], 6);
    }

    #[test]
    fn a_broken_quote_costs_the_line_it_is_on() {
        for text in ["\"a\"b,c\nd", "\"a\"b,c\n"] {
            assert_eq!(read(text.as_bytes(), &mut Vec::new()).0, 7);
        }
        assert!(read(b"\"abc\n", &mut Vec::new()).1.is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(texts in prop::collection::vec("[a\",\r\n ]{0,6}", 1..6)) {
            let mut line = Vec::new();
            for (place, text) in texts.iter().enumerate() {
                if place > 0 {
                    line.push(b',');
                }
                csv_text(text.as_bytes(), &mut line);
            }
            line.extend_from_slice(b"\nnext");
            let mut fields = Vec::new();
            prop_assert_eq!(read(&line, &mut fields), (line.len() - 4, Ok(())));
            let read: Vec<_> = fields.iter().map(|field| field.text().into_owned()).collect();
            prop_assert_eq!(read, texts.into_iter().map(String::into_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_or_refused_and_there_is_an_end(bytes: Vec<u8>) {
            let mut at = 0;
            while at < bytes.len() {
                let (length, _) = read(&bytes[at..], &mut Vec::new());
                prop_assert!(length > 0);
                at += length;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}

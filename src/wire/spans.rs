//! Where the items of a body stand, for those who show one that was refused. Reads nothing of what is in them.

use std::ops::Range;

use memchr::memchr;

/// The lines of a text, blank ones included, without their ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).map_or(text.len(), |length| start + length);
        let line = start..end;
        start = end + 1;
        Some(line)
    })
}

/// Those of them that are not blank.
pub fn filled_lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    lines(text).filter(|line| !text[line.clone()].trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_with_blank_ones_or_without() {
        let shown =
            |spans: Vec<Range<usize>>| -> Vec<&[u8]> { spans.into_iter().map(|span| &b"a\n\n b\nc"[span]).collect() };
        assert_eq!(shown(lines(b"a\n\n b\nc").collect()), [&b"a"[..], b"", b" b", b"c"]);
        assert_eq!(shown(filled_lines(b"a\n\n b\nc").collect()), [&b"a"[..], b" b", b"c"]);
        assert_eq!(lines(b"").count() + lines(b"a\n").count(), 1);
    }
}

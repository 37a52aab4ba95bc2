//! Pieces of any size to chunks of whole lines. Pure.
//!
//! A chunk is handed out once it has [`CHUNK_BYTES`]; a line longer than [`LINE_BYTES_MAX`] is passed over and told by
//! its number. Where quotes count (CSV), a line ends only outside of them.

use std::collections::VecDeque;

/// What is decoded and committed together, at least; at most a piece more.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// Longer lines are refused, unless their end comes with the same piece: no identity within the limits takes that much,
/// however it is spelt.
pub(super) const LINE_BYTES_MAX: usize = 256 << 10;

#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Whole lines at first, then the beginning of one.
    buffer: Vec<u8>,
    /// Where that begins, and how far the buffer was looked at.
    whole: usize,
    looked_at: usize,
    quotes_count: bool,
    in_quotes: bool,
    /// A line that is too long is being passed over.
    skipping: bool,
    /// The number of the first line of the buffer, from one.
    next_line: u64,
    too_long: VecDeque<u64>,
}

/// Whole lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) text: Vec<u8>,
    pub(super) first_line: u64,
}

impl Chunk {
    /// The number of its last line; that before its first when it is empty.
    pub(super) fn last_line(&self) -> u64 {
        let ends = memchr::memchr_iter(b'\n', &self.text).count() as u64;
        let without_end = !self.text.is_empty() && !self.text.ends_with(b"\n");
        self.first_line + ends + u64::from(without_end) - 1
    }
}

impl Chunks {
    pub(super) fn new(quotes_count: bool) -> Self {
        Self { quotes_count, next_line: 1, ..Self::default() }
    }

    /// Whether there is enough for a chunk.
    pub(super) fn is_ready(&self) -> bool {
        self.whole >= CHUNK_BYTES
    }

    pub(super) fn push(&mut self, mut piece: &[u8]) {
        if self.skipping {
            let Some(end) = memchr::memchr(b'\n', piece) else { return };
            piece = &piece[end + 1..];
            // The buffer ends with a line end that stands for the line, so that the numbers stay right.
            self.skipping = false;
        }
        self.buffer.extend_from_slice(piece);
        self.look();
        if self.buffer.len() - self.whole > LINE_BYTES_MAX {
            self.skip_line();
        }
    }

    /// What is whole so far, with the number of its first line.
    pub(super) fn take(&mut self) -> Chunk {
        let rest = self.buffer.split_off(self.whole);
        let text = std::mem::replace(&mut self.buffer, rest);
        self.looked_at -= self.whole;
        self.whole = 0;
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &text).count() as u64;
        Chunk { text, first_line }
    }

    /// What is left when there are no more pieces: the last line need not end.
    pub(super) fn take_rest(&mut self) -> Chunk {
        self.whole = self.buffer.len();
        self.looked_at = self.whole;
        self.take()
    }

    /// The numbers of the lines passed over since this was last asked.
    pub(super) fn too_long(&mut self) -> impl Iterator<Item = u64> + '_ {
        self.too_long.drain(..)
    }

    fn look(&mut self) {
        let new = &self.buffer[self.looked_at..];
        if !self.quotes_count {
            if let Some(end) = memchr::memrchr(b'\n', new) {
                self.whole = self.looked_at + end + 1;
            }
        } else {
            for place in memchr::memchr2_iter(b'"', b'\n', new) {
                if new[place] == b'"' {
                    self.in_quotes = !self.in_quotes;
                } else if !self.in_quotes {
                    self.whole = self.looked_at + place + 1;
                }
            }
        }
        self.looked_at = self.buffer.len();
    }

    /// Gives the line that has not ended up, to its next line end, quotes or not. An empty line takes its place.
    fn skip_line(&mut self) {
        let line = self.next_line + memchr::memchr_iter(b'\n', &self.buffer[..self.whole]).count() as u64;
        self.too_long.push_back(line);
        let end = memchr::memchr(b'\n', &self.buffer[self.whole..]);
        let rest = end.map(|end| self.buffer.split_off(self.whole + end + 1));
        self.skipping = rest.is_none();
        self.buffer.truncate(self.whole);
        self.buffer.push(b'\n');
        (self.whole, self.looked_at, self.in_quotes) = (self.buffer.len(), self.buffer.len(), false);
        if let Some(rest) = rest {
            self.push(&rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that comes out of `text` in pieces of `size` bytes, and the lines that were too long.
    fn cut(text: &[u8], size: usize, quotes_count: bool) -> (Vec<u8>, Vec<u64>) {
        let (mut chunks, mut out, mut too_long) = (Chunks::new(quotes_count), Vec::new(), Vec::new());
        let mut take = |chunk: Chunk, too_long: &mut Vec<u64>, chunks: &mut Chunks| {
            let lines_before = memchr::memchr_iter(b'\n', &out).count() as u64;
            assert_eq!(chunk.first_line, lines_before + 1);
            out.extend_from_slice(&chunk.text);
            too_long.extend(chunks.too_long());
        };
        for piece in text.chunks(size) {
            chunks.push(piece);
            if chunks.is_ready() {
                let chunk = chunks.take();
                assert!(chunk.text.ends_with(b"\n"));
                take(chunk, &mut too_long, &mut chunks);
            }
        }
        let chunk = chunks.take_rest();
        take(chunk, &mut too_long, &mut chunks);
        (out, too_long)
    }

    proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(16))]

        #[test]
        fn lines_come_out_as_they_came_however_they_are_cut(
            lengths in prop::collection::vec(0..20_000_usize, 0..300), size in 100..300_000_usize,
        ) {
            let text: Vec<u8> = lengths.into_iter().flat_map(|length| [vec![b'x'; length], b"\n".to_vec()].concat()).collect();
            prop_assert!(cut(&text, size, false) == (text, Vec::new()));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_by_its_number() {
        let long = "x".repeat(2 * LINE_BYTES_MAX);
        let text = format!("a\n{long}\nb\n{long}{long}\nc");
        for size in [1_000, LINE_BYTES_MAX / 3, LINE_BYTES_MAX] {
            assert_eq!(cut(text.as_bytes(), size, false), (b"a\n\nb\n\nc".to_vec(), vec![2, 4]), "{size}");
        }
    }

    #[test]
    fn a_quote_that_does_not_end_costs_what_a_line_may_have_and_no_more() {
        let (text, too_long) = cut(format!("a\n\"b\n{}", "c\n".repeat(LINE_BYTES_MAX)).as_bytes(), 10_000, true);
        assert_eq!(too_long, [2]);
        assert!(text.starts_with(b"a\n\nc\n"));
    }

    #[test]
    fn a_record_with_line_ends_in_quotes_stays_whole() {
        let mut chunks = Chunks::new(true);
        chunks.push(b"a,\"b\nc");
        assert_eq!(chunks.take().text, b"");
        chunks.push(b"\",d\ne");
        assert_eq!(chunks.take(), Chunk { text: b"a,\"b\nc\",d\n".to_vec(), first_line: 1 });
        assert_eq!(chunks.take_rest(), Chunk { text: b"e".to_vec(), first_line: 3 });
    }
}

//! Pieces of a stream to whole lines. A line that is longer than it may be is passed over, however long it is.

/// What is left of a stream after its last whole line.
#[derive(Debug)]
pub(super) struct Lines {
    rest: Vec<u8>,
    line_bytes_max: usize,
    /// Within a line that is too long.
    is_skipping: bool,
    too_long: u64,
}

impl Lines {
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self { rest: Vec::new(), line_bytes_max, is_skipping: false, too_long: 0 }
    }

    /// Takes the next piece and answers the lines that are whole now, with their ends.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Vec<u8> {
        if self.is_skipping {
            let Some(end) = memchr::memchr(b'\n', piece) else { return Vec::new() };
            piece = &piece[end + 1..];
            self.is_skipping = false;
        }
        let whole = memchr::memrchr(b'\n', piece).map_or(0, |end| end + 1);
        let mut lines = Vec::new();
        if whole > 0 {
            lines = std::mem::take(&mut self.rest);
            lines.extend_from_slice(&piece[..whole]);
        }
        self.rest.extend_from_slice(&piece[whole..]);
        if self.rest.len() > self.line_bytes_max {
            self.rest.clear();
            self.is_skipping = true;
            self.too_long += 1;
        }
        lines
    }

    /// Lines that were passed over since this was last asked.
    pub(super) fn take_too_long(&mut self) -> u64 {
        std::mem::take(&mut self.too_long)
    }

    /// Whether the stream has stopped within a line.
    pub(super) fn is_cut_off(&self) -> bool {
        !self.rest.trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_without_an_end_is_passed_over_and_takes_no_memory() {
        let mut lines = Lines::new(10);
        for _ in 0..1_000 {
            assert_eq!(lines.push(&[b'x'; 100]), b"");
            assert!(lines.rest.len() <= 10);
        }
        assert_eq!(lines.push(b"end\ngood\nne"), b"good\n");
        assert_eq!((lines.take_too_long(), lines.take_too_long()), (1, 0));
        assert!(lines.is_cut_off());
        assert_eq!(lines.push(b"xt\n"), b"next\n");
        assert!(!lines.is_cut_off());
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_stream_is_cut(
            text in prop::collection::vec(prop::collection::vec(b'a'..b'd', 0..8), 0..20),
            cuts in prop::collection::vec(1_usize..9, 1..60),
        ) {
            let stream: Vec<u8> = text.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
            let (mut lines, mut found, mut rest) = (Lines::new(8), Vec::new(), stream.as_slice());
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                found.extend(lines.push(piece));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(found, stream);
            prop_assert!(!lines.is_cut_off());
        }
    }
}

//! A body that arrived in pieces, read as one without joining it.

use std::io::{self, BufRead, Read};

use bytes::Bytes;

/// Reads the pieces one after the other. `fill_buf` never copies.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    current: &'a [u8],
    rest: std::slice::Iter<'a, Bytes>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(chunks: &'a [Bytes]) -> Self {
        Self { current: &[], rest: chunks.iter() }
    }

    fn advance_if_empty(&mut self) {
        while self.current.is_empty() {
            let Some(next) = self.rest.next() else { return };
            self.current = next;
        }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.advance_if_empty();
        self.current.read(out)
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance_if_empty();
        Ok(self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current = &self.current[count.min(self.current.len())..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_as_one_and_empty_ones_do_not_end_it() {
        let pieces = ["", "ab", "", "c", ""].map(Bytes::from);
        let mut text = String::new();
        Chunks::new(&pieces).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }
}

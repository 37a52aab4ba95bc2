//! Bytes on their way into a socket, as a list of shared pieces that one vectored write takes together.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Whole frames that have not been written yet, or not completely. What is pushed goes behind them.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], Bytes::as_ref)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.pieces);
        filled.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, count: usize) {
        let mut left = count.min(self.bytes);
        self.bytes -= left;
        while let Some(piece) = self.pieces.front_mut() {
            if left < piece.len() {
                piece.advance(left);
                return;
            }
            left -= piece.len();
            self.pieces.pop_front();
        }
        // An idle session shall hold no memory for the burst it once had.
        self.pieces = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_leave_as_one_text_however_they_are_written(
            pieces in proptest::collection::vec("[a-z]{1,5}", 0..20),
            steps in proptest::collection::vec(1_usize..9, 100),
        ) {
            let mut outgoing = Outgoing::default();
            pieces.iter().for_each(|piece| outgoing.push(Bytes::from(piece.clone())));
            let mut written = Vec::new();
            for step in steps {
                let mut slices = [IoSlice::new(&[]); 3];
                let count = outgoing.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
                let step = step.min(seen.len());
                written.extend_from_slice(&seen[..step]);
                outgoing.advance(step);
            }
            prop_assert_eq!(String::from_utf8(written).unwrap(), pieces.concat());
            prop_assert!(!outgoing.has_remaining());
        }
    }
}

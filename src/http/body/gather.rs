//! The pieces of a body, put together as they come.

use bytes::Bytes;

/// What is set aside for a body before any of it has come, whatever length it states.
const FIRST_BYTES_MAX: usize = 1 << 20;

/// A body that is still coming.
#[derive(Debug)]
pub(super) struct Gathering {
    whole: Option<Bytes>,
    joined: Vec<u8>,
    expected_bytes: usize,
}

/// A body that has come.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    bytes: Bytes,
    /// Whether the bytes were put together here, in memory that is theirs alone.
    joined: bool,
}

impl Gathering {
    pub(super) fn expecting(bytes: Option<u64>) -> Self {
        let expected_bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        Self { whole: None, joined: Vec::new(), expected_bytes }
    }

    pub(super) fn bytes(&self) -> usize {
        self.whole.as_ref().map_or(self.joined.len(), Bytes::len)
    }

    /// `is_last` is a hint: a body that does not know its end is put together like one with more to come.
    pub(super) fn push(&mut self, piece: Bytes, is_last: bool) {
        if piece.is_empty() {
            return;
        }
        if is_last && self.bytes() == 0 {
            self.whole = Some(piece);
            return;
        }
        if self.joined.is_empty() {
            self.joined.reserve_exact(self.expected_bytes.min(FIRST_BYTES_MAX).max(piece.len()));
            self.joined.extend_from_slice(&self.whole.take().unwrap_or_default());
        }
        self.joined.extend_from_slice(&piece);
    }

    pub(super) fn finish(self) -> Gathered {
        match self.whole {
            Some(bytes) => Gathered { bytes, joined: false },
            None => Gathered { bytes: self.joined.into(), joined: true },
        }
    }
}

impl Gathered {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes behind those of `out`. What was put together here is handed on as it is rather than copied again.
    pub(super) fn append_to(self, mut out: Vec<u8>) -> Vec<u8> {
        if self.joined && out.is_empty() {
            return self.bytes.into();
        }
        out.extend_from_slice(&self.bytes);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_of_any_size_come_back_in_order(
            sizes in proptest::collection::vec(0_usize..5_000, 0..60), states_its_length: bool, before: Vec<u8>,
        ) {
            let total: usize = sizes.iter().sum();
            let mut gathering = Gathering::expecting(states_its_length.then_some(total as u64));
            let mut naive = Vec::new();
            for (index, size) in sizes.into_iter().enumerate() {
                let piece = vec![u8::try_from(index).unwrap(); size];
                naive.extend_from_slice(&piece);
                gathering.push(piece.into(), states_its_length && naive.len() == total);
                prop_assert_eq!(gathering.bytes(), naive.len());
            }
            let gathered = gathering.finish();
            prop_assert_eq!(gathered.bytes(), &naive);
            prop_assert_eq!(gathered.append_to(before.clone()), [before, naive].concat());
        }
    }

    #[test]
    fn a_body_in_one_piece_is_not_copied_before_it_is_read() {
        let piece = Bytes::from(vec![7; 1_000]);
        let mut gathering = Gathering::expecting(Some(1_000));
        gathering.push(piece.clone(), true);
        assert_eq!(gathering.finish().bytes().as_ptr(), piece.as_ptr());
    }

    #[test]
    fn pieces_with_more_to_come_are_let_go_and_joined_once() {
        let piece = Bytes::from(vec![7; 1_000]);
        let mut gathering = Gathering::expecting(Some(2_000));
        gathering.push(piece.clone(), false);
        assert!(piece.is_unique(), "nothing holds on to the buffer of the socket");
        gathering.push(piece, true);
        let gathered = gathering.finish();
        let place = gathered.bytes().as_ptr();
        let read = gathered.append_to(Vec::new());
        assert_eq!(read.as_ptr(), place);
    }

    #[test]
    fn a_length_that_is_only_stated_takes_no_memory() {
        let mut gathering = Gathering::expecting(Some(u64::MAX));
        assert_eq!(gathering.joined.capacity(), 0);
        gathering.push(Bytes::from_static(b"a"), false);
        assert!(gathering.joined.capacity() <= FIRST_BYTES_MAX);
    }
}

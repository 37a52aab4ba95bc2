//! Buffers that bulk requests use one after the other, so that a request allocates next to nothing.

use crossbeam_channel::{Receiver, Sender};

use crate::model::Intake;

/// Buffers kept for later; more than run at one time are not needed.
const KEPT_MAX: usize = 64;
/// A body buffer that grew beyond this is given back to the allocator, so one huge body does not stay.
const BODY_BYTES_KEPT_MAX: usize = 1 << 20;
/// The same for its points, of which some dialects have one every few bytes.
const POINTS_KEPT_MAX: usize = 1 << 15;

#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) body: Vec<u8>,
    /// What a decoder puts together beside the body.
    pub(super) text: Vec<u8>,
    pub(super) intake: Intake,
}

#[derive(Debug)]
pub struct ScratchPool {
    give: Sender<Box<Scratch>>,
    take: Receiver<Box<Scratch>>,
}

impl Default for ScratchPool {
    fn default() -> Self {
        let (give, take) = crossbeam_channel::bounded(KEPT_MAX);
        Self { give, take }
    }
}

impl ScratchPool {
    pub(super) fn take(&self) -> Box<Scratch> {
        self.take.try_recv().unwrap_or_default()
    }

    /// Keeps an emptied buffer unless there are enough.
    pub(super) fn give(&self, mut scratch: Box<Scratch>) {
        let points = scratch.intake.points.identities.capacity();
        let bytes = scratch.body.capacity().max(scratch.text.capacity());
        if bytes <= BODY_BYTES_KEPT_MAX && points <= POINTS_KEPT_MAX {
            scratch.body.clear();
            scratch.text.clear();
            scratch.intake.clear();
            self.give.try_send(scratch).ok();
        }
    }
}

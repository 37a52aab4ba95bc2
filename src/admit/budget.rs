//! The bytes of request bodies that may be in memory at one time.
//!
//! At the bound a request is refused at once and nobody waits: a queue of waiting requests would be one more thing to
//! bound, and the client can wait as well as we can. A body larger than the whole budget is always refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bound on bytes in flight. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    taken_bytes: AtomicU64,
    bytes_max: u64,
}

/// A part of a [`Budget`], given back when dropped.
#[derive(Debug)]
#[must_use = "the bytes are given back as soon as the permit is dropped"]
pub struct Permit {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    pub fn new(bytes_max: u64) -> Self {
        Self(Arc::new(Shared { taken_bytes: AtomicU64::new(0), bytes_max }))
    }

    /// Takes `bytes`, or nothing when that would pass the bound.
    pub fn try_take(&self, bytes: u64) -> Option<Permit> {
        self.take(bytes).then(|| Permit { budget: self.clone(), bytes })
    }

    /// Whether `bytes` could be taken now. Someone else may take them first.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.taken_bytes().saturating_add(bytes) <= self.0.bytes_max
    }

    pub fn taken_bytes(&self) -> u64 {
        self.0.taken_bytes.load(Ordering::Relaxed)
    }

    pub fn bytes_max(&self) -> u64 {
        self.0.bytes_max
    }

    /// The counter guards no other memory, so relaxed ordering is enough.
    fn take(&self, bytes: u64) -> bool {
        let raise = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= self.0.bytes_max);
        self.0.taken_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise).is_ok()
    }
}

impl Permit {
    /// Makes sure that at least `bytes` are held, for a body whose length was not announced. On `false` the permit is as
    /// it was.
    pub fn try_hold(&mut self, bytes: u64) -> bool {
        self.bytes >= bytes || self.try_grow(bytes - self.bytes)
    }

    /// Gives back what is held beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let beyond = self.bytes.saturating_sub(bytes);
        self.budget.0.taken_bytes.fetch_sub(beyond, Ordering::Relaxed);
        self.bytes -= beyond;
    }

    /// Takes `bytes` more. On `false` the permit is as it was.
    fn try_grow(&mut self, bytes: u64) -> bool {
        let taken = self.budget.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.0.taken_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Take(u64),
        Grow(usize, u64),
        Drop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..60u64).prop_map(Step::Take),
            (any::<usize>(), 0..60u64).prop_map(|(permit, bytes)| Step::Grow(permit, bytes)),
            any::<usize>().prop_map(Step::Drop),
        ]
    }

    proptest! {
        #[test]
        fn the_bytes_taken_are_those_of_the_permits_alive_and_never_pass_the_bound(
            steps in prop::collection::vec(step(), 0..80),
        ) {
            let budget = Budget::new(100);
            let mut permits: Vec<Permit> = Vec::new();
            for step in steps {
                let held: u64 = permits.iter().map(Permit::bytes).sum();
                match step {
                    Step::Take(bytes) => {
                        let permit = budget.try_take(bytes);
                        prop_assert_eq!(permit.is_some(), held + bytes <= 100);
                        permits.extend(permit);
                    }
                    Step::Grow(which, bytes) if !permits.is_empty() => {
                        let which = which % permits.len();
                        prop_assert_eq!(permits[which].try_grow(bytes), held + bytes <= 100);
                    }
                    Step::Drop(which) if !permits.is_empty() => drop(permits.swap_remove(which % permits.len())),
                    Step::Grow(..) | Step::Drop(_) => {}
                }
                prop_assert_eq!(budget.taken_bytes(), permits.iter().map(Permit::bytes).sum::<u64>());
            }
        }
    }

    #[test]
    fn threads_together_never_pass_the_bound() {
        let budget = Budget::new(10);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let permit = budget.try_take(4);
                        assert!(budget.taken_bytes() <= 10);
                        drop(permit);
                    }
                });
            }
        });
        assert_eq!(budget.taken_bytes(), 0);
    }

    #[test]
    fn a_length_near_the_end_of_the_number_range_is_refused_not_wrapped() {
        let budget = Budget::new(u64::MAX);
        let all = budget.try_take(u64::MAX);
        assert!(all.is_some());
        assert!(budget.try_take(1).is_none());
    }
}

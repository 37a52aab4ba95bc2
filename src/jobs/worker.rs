//! Long work beside the async workers.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Lets the other tasks of this worker thread go on elsewhere meanwhile, where the runtime has an elsewhere.
pub(super) fn off_worker<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

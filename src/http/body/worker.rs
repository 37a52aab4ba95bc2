//! Long work beside the async workers.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Lets the other tasks of this worker thread go on elsewhere meanwhile, where the runtime has an elsewhere.
///
/// The caller waits in place, so it cannot be given up while its work goes on without what it holds.
pub(in crate::http) fn off_worker<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

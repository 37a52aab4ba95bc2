//! The one way to start a task, and the one way to end them all.
//!
//! Every task belongs to a [`Tasks`] group and has a name. [`Tasks::stop`] asks the group to end, waits until a
//! deadline and names those that did not. Groups are stopped in order by `app`: first the doors, then the engine.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

/// A group of named tasks. Clones are handles to the same group.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
    running: Arc<Mutex<HashMap<&'static str, usize>>>,
}

impl Tasks {
    /// Starts `future` as a task of this group. It runs until it ends by itself; [`Tasks::stopping`] tells it when to.
    #[expect(clippy::disallowed_methods, reason = "this is the one place the ban points to")]
    pub fn spawn<F>(&self, name: &'static str, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let running = Running::enter(name, Arc::clone(&self.running));
        tokio::spawn(self.tracker.track_future(async move {
            let _running = running;
            future.await
        }))
    }

    /// Resolves once the group has been asked to stop.
    pub fn stopping(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }

    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Asks every task to stop, without waiting for them.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Asks every task to stop and waits for them, at most until `deadline` has passed.
    ///
    /// # Errors
    /// The names of the tasks that were still running at the deadline, with their number.
    pub async fn stop(&self, deadline: Duration) -> Result<(), Vec<(&'static str, usize)>> {
        self.stop.cancel();
        self.tracker.close();
        match tokio::time::timeout(deadline, self.tracker.wait()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.names()),
        }
    }

    fn names(&self) -> Vec<(&'static str, usize)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = running.iter().map(|(name, count)| (*name, *count)).collect();
        names.sort_unstable();
        names
    }
}

/// Counts a task as running until dropped, so a task that panics is not counted for ever.
#[derive(Debug)]
struct Running {
    name: &'static str,
    running: Arc<Mutex<HashMap<&'static str, usize>>>,
}

impl Running {
    fn enter(name: &'static str, running: Arc<Mutex<HashMap<&'static str, usize>>>) -> Self {
        *running.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        Self { name, running }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_waits_for_tasks_that_heed_it() {
        let tasks = Tasks::default();
        let stopping = tasks.stopping();
        let task = tasks.spawn("heeds", stopping);
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, Ok(()));
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named_at_the_deadline() {
        let tasks = Tasks::default();
        tasks.spawn("stuck", std::future::pending::<()>());
        tasks.spawn("stuck", std::future::pending::<()>());
        assert_eq!(tasks.stop(Duration::from_secs(1)).await, Err(vec![("stuck", 2)]));
    }

    #[tokio::test]
    async fn a_task_that_panics_is_not_counted_as_running() {
        let tasks = Tasks::default();
        let task = tasks.spawn("panics", async { panic!("on purpose") });
        assert!(task.await.is_err());
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, Ok(()));
    }
}

//! What runs by itself, or when asked: the runner, and the API that tells of it.

mod api; // what a whole server tells, and does when asked
mod runs; // the runner with jobs of the test's
mod turns; // who waits for whom

//! What moves data on, and when: one line a job.

use std::sync::Arc;

use crate::config::Config;
use crate::jobs::{Job, fold};

pub(super) fn all(config: &Config, folds: &fold::Trigger) -> Vec<Job> {
    let fold = Job::new("fold", config.jobs.fold_interval, |context, force| Box::pin(fold::run(context, force)));
    vec![fold.woken_by(Arc::clone(folds.wake()))]
}

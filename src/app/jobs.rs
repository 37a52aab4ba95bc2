//! What moves data on, and when: one line a job.

use std::sync::Arc;
use std::time::Duration;

use super::plan;
use crate::config::Config;
use crate::jobs::retention::Policy;
use crate::jobs::seal::Terms;
use crate::jobs::{Context, Job, JobError, alerts, day, entries, fold, keep, people, seal};

/// An hour is closed some minutes after its end, and late data wait for the next run.
const SEAL_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Looks whether a day has been closed meanwhile.
const DAY_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Looks whether an hour has begun; within one there is nothing new to do.
const KEEP_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How long what is no sample is kept.
#[derive(Clone, Copy, Debug)]
struct Expiring {
    entries: entries::Retention,
    audit: Duration,
    alerts: Duration,
}

pub(super) fn all(config: &Config, folds: &fold::Trigger, policy: &Arc<Policy>) -> Vec<Job> {
    let expiring = Expiring {
        entries: plan::entries(config),
        audit: config.people.audit,
        alerts: config.retention.entries.alerts,
    };
    let (sealing, keeping) = (Arc::clone(policy), Arc::clone(policy));
    let fold = Job::new("fold", config.jobs.fold_interval, |context, force| Box::pin(fold::run(context, force)));
    vec![
        fold.woken_by(Arc::clone(folds.wake())),
        Job::new("seal", SEAL_INTERVAL, move |context, force| {
            let policy = Arc::clone(&sealing);
            Box::pin(async move { run_seal(context, &policy, force).await })
        }),
        Job::new("day", DAY_INTERVAL, |context, force| Box::pin(day::run(context, force))),
        Job::new("keep", KEEP_INTERVAL, move |context, force| {
            let policy = Arc::clone(&keeping);
            Box::pin(async move { run_keep(context, &policy, expiring, force).await })
        }),
    ]
}

/// What comes for an hour that every rule has given up is rolled up at once. Where only some rules have, it is stored
/// and expires with the next run of `keep`.
async fn run_seal(context: &Context, policy: &Policy, force: bool) -> Result<u64, JobError> {
    let given_up_before = policy.earliest(context.clock.now()).raw;
    seal::run_with(context, force, &Terms { raw_from: &|_| given_up_before, ..Terms::default() }).await
}

async fn run_keep(context: &Context, policy: &Policy, expiring: Expiring, force: bool) -> Result<u64, JobError> {
    let kept = keep::run(context, policy, force).await;
    // None waits for another to succeed.
    let expired = entries::expire(context, expiring.entries).await;
    let over = people::expire(context, expiring.audit).await;
    let told = alerts::expire(context, expiring.alerts).await;
    Ok(kept? + expired? + over? + told?)
}

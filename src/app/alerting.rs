//! Alerting's parts: what judges, what tells people, what tells live sessions; each started with the others' seams.

use std::sync::Arc;

use super::news::LiveNews;
use super::past::JudgedSamples;
use super::{Failure, plan};
use crate::alert::deliver::Deliverer;
use crate::alert::news::News;
use crate::alert::outbox::Outbox;
use crate::alert::{Alerts, Worker};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::handlers::Services;
use crate::shutdown::Tasks;

/// What others hold of it. Starts nothing.
pub(super) fn build(config: &Config, clock: &Arc<dyn Clock>) -> Result<Alerts, Failure> {
    let deliverer = Deliverer::new(plan::delivery(config), Arc::clone(clock))?;
    Ok(Alerts { judges_here: !config.delivery.judge_elsewhere, ..Alerts::new(Arc::new(deliverer)) })
}

/// Judges rules, while no other node does and where that is wanted.
pub(super) fn start_judging(services: &Services, tasks: &Tasks) {
    let Services { database, alerts, clock, catalog, query, .. } = services;
    if !alerts.judges_here {
        return;
    }
    let past = JudgedSamples { query: Arc::clone(query), catalog: Arc::clone(catalog), database: database.clone() };
    let worker = Worker::new(alerts, database, clock, Arc::<Catalog>::clone(catalog), Arc::new(past));
    drop(tasks.spawn("alerts", worker.run(tasks.stopping())));
}

/// Delivers what people are to be told, and tells live sessions what happens.
pub(super) fn start_telling(services: &Services, tasks: &Tasks) {
    let Services { database, alerts, clock, hub, .. } = services;
    let Alerts { signals, stats, deliverer, .. } = alerts;
    let told = (Arc::clone(signals), Arc::clone(stats));
    let outbox = Outbox::new(database.clone(), Arc::clone(deliverer), told, Arc::clone(clock));
    let news = News::new(database.clone(), Arc::clone(signals), Arc::new(LiveNews(Arc::clone(hub))));
    drop(tasks.spawn("outbox", outbox.run(tasks.stopping())));
    drop(tasks.spawn("alert news", news.run(tasks.stopping())));
}

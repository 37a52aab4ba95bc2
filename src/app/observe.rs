//! Numbers that stages keep themselves, and answers as they are given, to self-metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::alert;
use crate::http::Front;
use crate::http::handlers::Services;
use crate::http::observer::Observer;
use crate::http::{Method, StatusCode};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::mirror;

#[derive(Debug)]
struct Answers(Arc<Metrics>);

impl Observer for Answers {
    fn answered(&self, route: &'static str, method: &Method, status: StatusCode, duration: Duration) {
        self.0.http.answered(route, method.as_str(), status.as_u16(), duration);
    }
}

pub(super) fn answers(services: &Services) -> Arc<dyn Observer> {
    Arc::new(Answers(Arc::clone(&services.metrics)))
}

/// Has the gauges read when someone looks. The reader must not keep the services alive.
pub(super) fn stages(services: &Arc<Services>, front: &Arc<Front>) {
    let (weak, front) = (Arc::downgrade(services), Arc::downgrade(front));
    services.metrics.before_render(move |metrics| {
        let (Some(services), Some(front)) = (weak.upgrade(), front.upgrade()) else { return };
        let live = services.hub.stats();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        metrics.http.requests_in_flight.set(front.in_flight() as i64);
        metrics.http.in_flight_bytes.set(services.budget.taken_bytes().cast_signed());
        metrics.journal.queue_batches.set(services.journal.waiting() as i64);
        metrics.catalog.servers.set(services.catalog.servers().met() as i64);
        metrics.catalog.series.set(services.catalog.series_count().cast_signed());
        mirror(&metrics.catalog.series_created, services.catalog.series_created());
        metrics.live.sessions.set(read(&live.sessions).cast_signed());
        mirror(&metrics.live.frames_sent, read(&live.delivered));
        mirror(&metrics.live.frames_dropped, read(&live.dropped));
        mirror(&metrics.live.lagged, read(&live.lagged));
        mirror(&metrics.live.flushes_dropped, read(&live.flushes_dropped));
        mirror(&metrics.live.events_too_long, read(&live.events_too_long));
        mirror(&metrics.live.samples_unknown, read(&live.unknown_series));
        mirror(&metrics.live.sessions_stalled, read(&live.sessions_stalled));
        alerts(metrics, &services.alerts.stats);
        services.jobs.measure();
        metrics.live.lag_us.set(read(&live.lag_us).cast_signed());
    });
}

fn alerts(metrics: &Metrics, stats: &alert::Stats) {
    let (metrics, read) = (&metrics.alerts, alert::Stats::read);
    for (gauge, value) in [
        (&metrics.leading, &stats.leading),
        (&metrics.rules, &stats.rules),
        (&metrics.rules_revision, &stats.rules_revision),
        (&metrics.instances, &stats.instances),
        (&metrics.firing, &stats.firing),
        (&metrics.window_bytes, &stats.window_bytes),
        (&metrics.unjudged, &stats.unjudged),
        (&metrics.lag_us, &stats.lag_us),
        (&metrics.waiting_bytes, &stats.waiting_bytes),
    ] {
        gauge.set(read(value).cast_signed());
    }
    for (counter, value) in [
        (&metrics.rules_unreadable, &stats.rules_unreadable),
        (&metrics.samples, &stats.samples),
        (&metrics.events, &stats.events),
        (&metrics.notices, &stats.notices),
        (&metrics.flushes_dropped, &stats.flushes_dropped),
        (&metrics.catch_ups, &stats.catch_ups),
        (&metrics.caught_up_samples, &stats.caught_up_samples),
        (&metrics.catch_ups_cut, &stats.catch_ups_cut),
    ] {
        mirror(counter, read(value));
    }
}

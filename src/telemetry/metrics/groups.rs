//! Every metric, in one table a stage. The line above a metric is its help text, here and in the exposition.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::labels::{
    CodeLabels, DialectLabels, DropLabels, DropReason, JobLabels, RequestLabels, RouteLabels, TableLabels,
    method_label, status_label,
};
use crate::model::{Code, Micros, Verdicts};

/// A family of histograms with the same buckets.
pub(super) type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// `field: Type = "name", how it is made;`, the name without our prefix and without `_total`.
macro_rules! metrics {
    ($(#[doc = $about:literal])+ $group:ident { $(#[doc = $help:literal] $field:ident: $kind:ty = $name:literal, $made:expr;)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub struct $group {
            $(#[doc = $help] pub $field: $kind,)+
        }

        impl $group {
            pub(super) fn register(registry: &mut Registry) -> Self {
                let group = Self { $($field: $made,)+ };
                // The library ends the help text with a full stop of its own.
                $(registry.register($name, $help.trim().trim_end_matches('.'), group.$field.clone());)+
                group
            }
        }
    };
}

metrics! {
    /// What the HTTP front does.
    HttpMetrics {
        /// Requests answered, by route pattern, method and status class.
        requests: Family<RequestLabels, Counter> = "http_requests", Family::default();
        /// From the head of a request to the head of its answer, in seconds.
        request_duration: Durations<RouteLabels> = "http_request_duration_seconds", Durations::new_with_constructor(durations);
        /// Requests being answered now.
        requests_in_flight: Gauge = "http_requests_in_flight", Gauge::default();
        /// Bytes of request bodies in memory now.
        in_flight_bytes: Gauge = "http_in_flight_bytes", Gauge::default();
    }
}

metrics! {
    /// What came in.
    IngestMetrics {
        /// Requests that carried samples.
        requests: Counter = "ingest_requests", Counter::default();
        /// Samples committed and acknowledged.
        samples_committed: Counter = "ingest_samples_committed", Counter::default();
        /// Items refused, by reason.
        items_refused: Family<CodeLabels, Counter> = "ingest_items_refused", Family::default();
        /// Values left out because no series can hold them, such as texts in Influx lines.
        values_left_out: Counter = "ingest_values_left_out", Counter::default();
        /// Bytes of request bodies as they came over the wire.
        bytes: Counter = "ingest_bytes", Counter::default();
    }
}

metrics! {
    /// What came in over sockets that answer nothing.
    ListenMetrics {
        /// Lines received, by dialect, refused and dropped ones included.
        lines: Family<DialectLabels, Counter> = "listen_lines", Family::default();
        /// Lines, or the samples they came to, that were dropped, by reason.
        lines_dropped: Family<DropLabels, Counter> = "listen_lines_dropped", Family::default();
        /// Connections open now.
        connections: Family<DialectLabels, Gauge> = "listen_connections", Family::default();
    }
}

metrics! {
    /// What the journal writes.
    JournalMetrics {
        /// Batches that wait for their commit now.
        queue_batches: Gauge = "journal_queue_batches", Gauge::default();
        /// Flushes committed.
        flushes: Counter = "journal_flushes", Counter::default();
        /// Samples in a flush.
        flush_samples: Histogram = "journal_flush_samples", Histogram::new(exponential_buckets(1.0, 4.0, 10));
        /// From the first byte of a COPY to its commit, in seconds.
        commit_duration: Histogram = "journal_commit_duration_seconds", durations();
        /// Commits tried again after an error.
        retries: Counter = "journal_retries", Counter::default();
        /// Times the journal was asked for what other nodes committed.
        follow_queries: Counter = "journal_follow_queries", Counter::default();
        /// Flushes of other nodes read and handed on.
        follow_flushes: Counter = "journal_follow_flushes", Counter::default();
        /// Flushes of other nodes that could not be handed on: gone before they were read, or unreadable.
        follow_missed: Counter = "journal_follow_missed", Counter::default();
    }
}

metrics! {
    /// What the catalog knows.
    CatalogMetrics {
        /// Servers known.
        servers: Gauge = "catalog_servers", Gauge::default();
        /// Series known.
        series: Gauge = "catalog_series", Gauge::default();
        /// Look-ups that the cache could not answer.
        misses: Counter = "catalog_misses", Counter::default();
        /// Series created.
        series_created: Counter = "catalog_series_created", Counter::default();
    }
}

metrics! {
    /// What is pushed.
    LiveMetrics {
        /// WebSocket sessions open now.
        sessions: Gauge = "live_sessions", Gauge::default();
        /// Frames handed to a socket.
        frames_sent: Counter = "live_frames_sent", Counter::default();
        /// Frames dropped because the queue of their session was full.
        frames_dropped: Counter = "live_frames_dropped", Counter::default();
        /// Committed flushes that were not pushed because the hub was behind.
        flushes_dropped: Counter = "live_flushes_dropped", Counter::default();
        /// Times that a session was told how much it lost.
        lagged: Counter = "live_lagged", Counter::default();
        /// Events that were not pushed because they are too long.
        events_too_long: Counter = "live_events_too_long", Counter::default();
        /// Samples that were not pushed because their series was not known.
        samples_unknown: Counter = "live_samples_unknown", Counter::default();
        /// Sessions closed because their client took or answered nothing for too long.
        sessions_stalled: Counter = "live_sessions_stalled", Counter::default();
        /// From the last flush's commit to the queues of the sessions, in microseconds.
        lag_us: Gauge = "live_lag_us", Gauge::default();
    }
}

metrics! {
    /// Rules judged.
    AlertMetrics {
        /// 1 while this node is the one that judges, else 0.
        leading: Gauge = "alert_leading", Gauge::default();
        /// Rules that are judged, on the node that judges.
        rules: Gauge = "alert_rules", Gauge::default();
        /// How often rules, recipients and silences had changed when they were last taken in.
        rules_revision: Gauge = "alert_rules_revision", Gauge::default();
        /// Versions of rules that could not be read, and are not judged.
        rules_unreadable: Counter = "alert_rules_unreadable", Counter::default();
        /// Rules and series that are judged together.
        instances: Gauge = "alert_instances", Gauge::default();
        /// Those of them that fire.
        firing: Gauge = "alert_firing", Gauge::default();
        /// Memory of the windows of rules.
        window_bytes: Gauge = "alert_window_bytes", Gauge::default();
        /// Series and samples of series that a rule watches and there was no room to judge, since this node judges.
        unjudged: Gauge = "alert_unjudged", Gauge::default();
        /// Samples looked at as they came.
        samples: Counter = "alert_samples", Counter::default();
        /// Entries of the history written.
        events: Counter = "alert_events", Counter::default();
        /// Messages to people written.
        notices: Counter = "alert_notices", Counter::default();
        /// From the last flush's commit to the end of what was found in it, in microseconds.
        lag_us: Gauge = "alert_lag_us", Gauge::default();
        /// Bytes of flushes that wait to be judged.
        waiting_bytes: Gauge = "alert_waiting_bytes", Gauge::default();
        /// Flushes that were not judged as they came, but from what is stored.
        flushes_dropped: Counter = "alert_flushes_dropped", Counter::default();
        /// Times that what is stored was read: when this node began to judge, or could not keep up.
        catch_ups: Counter = "alert_catch_ups", Counter::default();
        /// Samples read then.
        caught_up_samples: Counter = "alert_caught_up_samples", Counter::default();
        /// Times that there was more than is read, so that some was not judged.
        catch_ups_cut: Counter = "alert_catch_ups_cut", Counter::default();
    }
}

metrics! {
    /// What is asked.
    QueryMetrics {
        /// Queries answered, failed ones included.
        requests: Counter = "query_requests", Counter::default();
        /// How long a query took, in seconds.
        duration: Histogram = "query_duration_seconds", durations();
    }
}

metrics! {
    /// What moves data on, and away.
    JobMetrics {
        /// Runs of a job on this node that went well.
        runs: Family<JobLabels, Counter> = "job_runs", Family::default();
        /// Runs of a job on this node that failed.
        failures: Family<JobLabels, Counter> = "job_failures", Family::default();
        /// How long a run took, in seconds.
        duration: Durations<JobLabels> = "job_duration_seconds", Durations::new_with_constructor(durations);
        /// Rows that a job wrote or removed.
        rows: Family<JobLabels, Counter> = "job_rows", Family::default();
        /// How long ago the last run that went well began, on whichever node, in seconds.
        lag: Family<JobLabels, Gauge> = "job_lag_seconds", Family::default();
        /// When the last run on this node that went well began, in seconds since 1970.
        last_success: Family<JobLabels, Gauge> = "job_last_success_timestamp_seconds", Family::default();
    }
}

metrics! {
    /// The database as it is seen from here.
    PostgresMetrics {
        /// 1 when PostgreSQL answered last time it was asked, else 0.
        up: Gauge = "postgres_up", Gauge::default();
    }
}

metrics! {
    /// What is stored.
    StorageMetrics {
        /// Bytes that a table takes on disk with all its parts and indexes, looked at every few seconds.
        table_bytes: Family<TableLabels, Gauge> = "storage_table_bytes", Family::default();
        /// Rows of a table that are dead but take room, as PostgreSQL estimates.
        dead_rows: Family<TableLabels, Gauge> = "storage_dead_rows", Family::default();
        /// Damaged rows that were set aside and are still there, on whichever node they were found.
        set_aside_rows: Gauge = "storage_set_aside_rows", Gauge::default();
    }
}

impl StorageMetrics {
    /// Takes in what a table has come to.
    pub fn table_is(&self, table: &'static str, bytes: u64, dead_rows: u64) {
        let labels = TableLabels { table };
        self.table_bytes.get_or_create(&labels).set(bytes.cast_signed());
        self.dead_rows.get_or_create(&labels).set(dead_rows.cast_signed());
    }
}

impl ListenMetrics {
    pub fn received(&self, dialect: &'static str, lines: u64) {
        self.lines.get_or_create(&DialectLabels { dialect }).inc_by(lines);
    }

    pub fn dropped(&self, dialect: &'static str, reason: DropReason, lines: u64) {
        self.lines_dropped.get_or_create(&DropLabels { dialect, reason: reason.as_str() }).inc_by(lines);
    }

    /// A connection more, or less.
    pub fn connected(&self, dialect: &'static str, difference: i64) {
        self.connections.get_or_create(&DialectLabels { dialect }).inc_by(difference);
    }
}

impl HttpMetrics {
    /// Counts one answer. `route` is the pattern of the route, or one fixed text for requests without one.
    pub fn answered(&self, route: &'static str, method: &str, status: u16, duration: Duration) {
        let method = method_label(method);
        self.requests.get_or_create(&RequestLabels { route, method, status: status_label(status) }).inc();
        self.request_duration.get_or_create(&RouteLabels { route, method }).observe(duration.as_secs_f64());
    }
}

impl JobMetrics {
    /// Counts a run that went well.
    pub fn succeeded(&self, job: &'static str, rows: u64, duration: Duration, started_at: Micros) {
        let labels = JobLabels { job };
        self.runs.get_or_create(&labels).inc();
        self.rows.get_or_create(&labels).inc_by(rows);
        self.duration.get_or_create(&labels).observe(duration.as_secs_f64());
        self.last_success.get_or_create(&labels).set(started_at.0 / Micros::PER_SECOND);
    }

    pub fn failed(&self, job: &'static str) {
        self.failures.get_or_create(&JobLabels { job }).inc();
    }

    pub fn lag(&self, job: &'static str, seconds: i64) {
        self.lag.get_or_create(&JobLabels { job }).set(seconds);
    }
}

impl IngestMetrics {
    /// Counts the refusals of one request.
    pub fn refused(&self, verdicts: &Verdicts) {
        for (code, count) in verdicts.counts() {
            self.refused_for(code, count);
        }
    }

    fn refused_for(&self, code: Code, count: u32) {
        self.items_refused.get_or_create(&CodeLabels { code: code.as_str() }).inc_by(u64::from(count));
    }
}

/// From half a millisecond, an idle commit, to half a minute, where requests are given up.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}

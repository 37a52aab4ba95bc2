//! What a scrape sees.

use std::time::Duration;

use super::*;
use crate::model::{Code, Verdicts};

fn value(page: &str, series: &str) -> Option<String> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(str::to_owned)
}

#[test]
fn requests_are_counted_by_pattern_and_class_and_invented_methods_share_a_label() {
    let metrics = Metrics::new();
    metrics.http.answered("/api/v1/servers/{id}", "GET", 200, Duration::from_millis(3));
    metrics.http.answered("/api/v1/servers/{id}", "GET", 204, Duration::from_millis(3));
    metrics.http.answered("/api/v1/servers/{id}", "BREW", 405, Duration::from_millis(3));
    let page = metrics.render().unwrap();
    let series = |method: &str, status: &str| {
        format!(r#"millrace_http_requests_total{{route="/api/v1/servers/{{id}}",method="{method}",status="{status}"}}"#)
    };
    assert_eq!(value(&page, &series("GET", "2xx")).as_deref(), Some("2"));
    assert_eq!(value(&page, &series("other", "4xx")).as_deref(), Some("1"));
    assert!(page.contains("millrace_http_request_duration_seconds_bucket{le=\"0.004\""), "{page}");
}

#[test]
fn refusals_are_counted_by_reason() {
    let metrics = Metrics::new();
    let mut verdicts = Verdicts::default();
    for index in 0..3 {
        verdicts.refuse(index, Code::TooOld, String::new);
    }
    metrics.ingest.refused(&verdicts);
    metrics.ingest.refused(&verdicts);
    let page = metrics.render().unwrap();
    assert_eq!(value(&page, r#"millrace_ingest_items_refused_total{code="too_old"}"#).as_deref(), Some("6"));
}

#[test]
fn numbers_kept_elsewhere_are_read_at_each_scrape() {
    let metrics = Metrics::new();
    metrics.before_render(|metrics| {
        metrics.live.sessions.set(7);
        mirror(&metrics.live.frames_sent, 41);
    });
    let page = metrics.render().unwrap();
    assert_eq!(value(&page, "millrace_live_sessions").as_deref(), Some("7"));
    assert_eq!(value(&page, "millrace_live_frames_sent_total").as_deref(), Some("41"));
}

#[test]
fn the_page_is_whole_and_every_metric_has_a_help_text_and_one_name() {
    let page = Metrics::new().render().unwrap();
    assert!(page.ends_with("# EOF\n"));
    let helps: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
    let mut names: Vec<&str> = helps.iter().filter_map(|help| help.split(' ').next()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(helps.iter().all(|help| help.ends_with('.') && !help.ends_with("..")), "{page}");
    let ours_or_the_process = |name: &&str| name.starts_with("millrace_") || name.starts_with("process_");
    assert!(names.iter().all(ours_or_the_process), "{names:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_measured_at_each_scrape() {
    let page = Metrics::new().render().unwrap();
    let resident: f64 = value(&page, "process_resident_memory_bytes").unwrap().parse().unwrap();
    assert!(resident > 1e6, "{resident}");
    assert!(value(&page, "process_cpu_seconds_total").is_some());
    assert!(value(&page, "process_open_fds").is_some());
    let start: f64 = value(&page, "process_start_time_seconds").unwrap().parse().unwrap();
    assert!(start > 1.6e9, "{start}");
}

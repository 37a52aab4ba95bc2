//! What is read back: live sessions, queries, logs.

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::settings::LogFormat;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const KIB: usize = 1 << 10;
const GIB: usize = 1 << 30;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) const KEYS: &[Key] = &[
    Key::count("live.sessions_max", "10000", 1..=1_000_000, |draft| &mut draft.live.sessions_max).about(
        "WebSocket sessions at one time; a further one is closed with 1013. They count as connections too.",
        "Too high: memory, some 11 KiB each and what waits for them. Too low: dashboards stay empty.",
    ),
    Key::count("live.queue_frames_max", "1024", 16..=1_000_000, |draft| &mut draft.live.queue_frames_max).about(
        "Frames that wait for one slow session; at the bound the oldest go, and the client is told how many.",
        "Too high: memory for clients that lag. Too low: a short stall loses frames.",
    ),
    Key::bytes("live.queue_bytes_max", "1MiB", 4 * KIB..=GIB, |draft| &mut draft.live.queue_bytes_max).about(
        "The same in bytes, whichever is reached first.",
        "Too high: memory for clients that lag. Too low: a short stall loses frames.",
    ),
    Key::span("live.ping_interval", "54s", 100..=HOUR_MS, |draft| &mut draft.live.ping_interval).about(
        "How often a session is pinged.",
        "Too high: proxies in between close it as idle. Too low: traffic for nothing.",
    ),
    Key::span("live.stall_timeout", "60s", 100..=HOUR_MS, |draft| &mut draft.live.stall_timeout).about(
        "How long a session may take nothing, or leave a ping unanswered, before it is closed.",
        "Too high: dead clients hold memory. Too low: bad links are cut off.",
    ),
    Key::count("query.running_max", "8", 1..=1_000, |draft| &mut draft.query.running_max).about(
        "Queries at one time; beyond it they wait, and then are answered 503.",
        "Too high: queries slow down ingest. Too low: dashboards wait.",
    ),
    Key::count("query.series_max", "200000", 100..=100_000_000, |draft| &mut draft.query.series_max).about(
        "Series one query may select; beyond it 422.",
        "Too high: one query takes much memory. Too low: a fleet-wide question is refused.",
    ),
    Key::count("query.samples_max", "50000000", 10_000..=10_000_000_000, |draft| &mut draft.query.samples_max).about(
        "Samples one query may put together; beyond it 422.",
        "Too high: one query keeps a processor busy for long. Too low: windows of long ranges are refused.",
    ),
    Key::count("query.points_max", "250000", 100..=100_000_000, |draft| &mut draft.query.points_max).about(
        "Points one answer may hold; beyond it 422.",
        "Too high: one answer takes much memory, some 150 bytes a point. Too low: fine drawings are refused.",
    ),
    Key::span("query.timeout", "30s", 100..=HOUR_MS, |draft| &mut draft.query.timeout).about(
        "How long a query may wait for its turn and read one page or all its windows; then it is answered 503.",
        "Too high: abandoned queries go on. Too low: sparse series cannot be read.",
    ),
    Key::span("retention.events", "30d", HOUR_MS..=36_500 * DAY_MS, |draft| &mut draft.entries.events).about(
        "How long events are kept.",
        "Too high: the disk fills. Too low: what happened is forgotten before anyone looks.",
    ),
    Key::span("retention.logs", "30d", HOUR_MS..=36_500 * DAY_MS, |draft| &mut draft.entries.logs).about(
        "How long log lines are kept.",
        "Too high: the disk fills. Too low: what happened is forgotten before anyone looks.",
    ),
    Key::span("retention.alerts", "365d", HOUR_MS..=36_500 * DAY_MS, |draft| &mut draft.entries.alerts).about(
        "How long is kept which alerts fired and were over.",
        "Too high: the disk fills slowly. Too low: nobody can tell how often it happened.",
    ),
    Key::words("log.level", "info", "a level (off, error, warn, info, debug, trace) or info,target=debug", set_level)
        .about("What is logged.", "Too high (trace): the log becomes the load. Too low: no trace of what went wrong."),
    Key::words("log.format", "text", "text or json", set_format)
        .about("Lines for people, or one JSON object a line.", ""),
];

/// Levels and `target=level`, with commas between: what the log filter understands without fail.
fn set_level(draft: &mut Draft, text: &str) -> bool {
    let accepted = text.split(',').all(|directive| {
        let (target, level) = directive.rsplit_once('=').unwrap_or(("", directive));
        LEVELS.contains(&level) && target.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte))
    });
    if accepted {
        draft.log.level = text.to_owned();
    }
    accepted
}

fn set_format(draft: &mut Draft, text: &str) -> bool {
    let format = match text {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => return false,
    };
    draft.log.format = format;
    true
}

//! The house rules as data. A rule that stands in the way is changed here, with its reason, not worked around.

/// Directories whose `.rs` files are looked at.
pub(super) const ROOTS: &[&str] = &["src", "tests", "benches", "load-tests/src"];

/// Lines of a file that are not tests.
pub(super) const FILE_LINES_MAX: usize = 500;
pub(super) const FUNCTION_LINES_MAX: usize = 70;

/// What a module may import of the crate besides itself. A module that is not listed is bound by [`FORBIDDEN`] only.
pub(super) const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("shutdown", &[]),
    ("config", &[]),
    ("clock", &["model"]),
    ("codec", &["model"]),
    ("wire", &["model"]),
    ("matching", &["model"]),
    ("rollup", &["codec", "model"]),
    ("admit", &["model"]),
    ("cli", &["config"]),
    ("telemetry", &["clock", "config", "model"]),
];

/// What a module may not import of the crate. `app` and `cli` are for `main` and `app` alone.
pub(super) const FORBIDDEN: &[(&str, &[&str])] = &[
    ("store", &["http", "journal", "live", "alert", "query", "jobs", "wire", "admit", "app", "cli"]),
    ("embedded", &["http", "journal", "live", "alert", "query", "jobs", "wire", "admit", "catalog", "app", "cli"]),
    ("catalog", &["http", "journal", "live", "alert", "query", "jobs", "app", "cli"]),
    ("journal", &["http", "live", "alert", "query", "jobs", "wire", "app", "cli"]),
    ("live", &["http", "journal", "store", "query", "alert", "jobs", "app", "cli"]),
    ("alert", &["http", "journal", "live", "query", "jobs", "app", "cli"]),
    ("query", &["http", "live", "alert", "app", "cli"]),
    ("jobs", &["http", "live", "alert", "app", "cli"]),
    ("verify", &["http", "journal", "live", "alert", "query", "jobs", "wire", "admit", "catalog", "app", "cli"]),
    ("rejects", &["http", "journal", "live", "alert", "query", "jobs", "wire", "admit", "catalog", "app", "cli"]),
    ("transfer", &["http", "live", "alert", "query", "jobs", "app", "cli"]),
    ("listen", &["http", "live", "alert", "query", "jobs", "app", "cli"]),
    ("auth", &["http", "journal", "live", "alert", "query", "jobs", "wire", "app", "cli"]),
    ("http", &["app", "cli", "embedded"]),
];

/// The only places under `src` that may name an external crate.
pub(super) const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["src/cli", "src/main.rs"]),
    ("toml", &["src/config"]),
    ("tracing_subscriber", &["src/telemetry"]),
    ("prometheus_client", &["src/telemetry"]),
    ("hyper", &["src/http", "src/live/handshake", "src/alert/deliver"]),
    ("hyper_util", &["src/http", "src/alert/deliver"]),
    ("http_body_util", &["src/http", "src/alert/deliver"]),
    ("lettre", &["src/alert/deliver"]),
    ("matchit", &["src/http"]),
    ("tokio_tungstenite", &["src/live"]),
    ("tokio_postgres", &["src/store", "src/embedded"]),
    ("deadpool_postgres", &["src/store"]),
    // It parses some numbers wrongly and rewrites its input; benches compare with it, the server has its own decoder.
    ("simd_json", &[]),
];

/// Text that must not stand in the code of a directory; strings count, comments do not.
pub(super) const FORBIDDEN_TEXT: &[(&str, &str, &str)] = &[
    ("src/http", "SELECT ", "SQL is for store"),
    ("src/http", "INSERT INTO", "SQL is for store"),
    ("src/http", "DELETE FROM", "SQL is for store"),
    ("src/live", "SELECT ", "SQL is for store"),
];

/// Calls that must not stand anywhere; neither comments nor strings count.
pub(super) const FORBIDDEN_CODE: &[(&str, &str)] = &[
    ("#[ignore", "a test runs or is deleted"),
    ("todo!", "finish it"),
    ("unimplemented!", "finish it"),
    ("thread::sleep", "wait on a condition with a deadline"),
];

/// Sleeping in a test is waiting for luck. It may stand where time itself is paused, and in functions of this name,
/// which look at a condition again and again until a deadline.
pub(super) const SLEEP: &str = "time::sleep";
pub(super) const MAY_SLEEP: &[&str] = &["until", "eventually"];

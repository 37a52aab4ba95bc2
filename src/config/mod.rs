//! Every setting, from flags, environment and a TOML file, as plain values.
//!
//! - Precedence: flag, then environment, then file, then default. An empty value counts as not given.
//! - All that is wrong is reported at once: bad values, unknown keys of the file, unknown `MILLRACE_*` variables.
//! - `table` is the only list of keys; defaults, checks, the README and `millrace config` all come from it.
//! - Only `env` reads the process environment. A secret is never shown, not even one that is wrong.
//!
//! Knows no other module: whoever takes a setting does not see where it came from.

pub mod document;
pub mod env;
pub mod problem;
pub mod secret;
pub mod settings;

mod delivery;
mod distance;
mod draft;
mod file;
mod key;
mod load;
mod people;
mod retention;
mod table;
mod value;

pub use delivery::{Delivery, Smtp, SmtpSecurity};
pub use env::Environment;
pub use load::{Flags, load};
pub use problem::{Problem, Problems};
pub use secret::{DatabaseUrl, Secret};
pub use settings::{
    Admit, Anonymous, Catalog, Config, Database, Entries, Http, Influx, InfluxStrings, Jobs, Journal, LineListener,
    Live, Log, LogFormat, Mode, Otlp, People, Prometheus, Query, Registration, Retention, RetentionOverride,
    Richardops, Tiers, TimeWindow, Tls,
};

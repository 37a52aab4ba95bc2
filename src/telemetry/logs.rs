//! Log lines: text for people, or one JSON object a line, on standard error.
//!
//! Every line passes [`scrub`] on its way out, so that no query string and no password is written, not even one that
//! a library put into its message.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::Subscriber;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{MakeWriter, Subscriber as Lines};

use super::scrub::scrub;
use crate::clock::Clock;
use crate::config::{Log, LogFormat};

#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error("the log level is not understood")]
    Level(#[from] ParseError),
    #[error("logs are already set up")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Sets up the logs of the process. To be called once, before anything is logged.
///
/// # Errors
/// When the level is not understood, or on a second call.
pub fn install(log: &Log, clock: Arc<dyn Clock>) -> Result<(), LogsError> {
    let subscriber = subscriber(log, clock, io::stderr().is_terminal(), io::stderr)?;
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

fn subscriber<W>(
    log: &Log,
    clock: Arc<dyn Clock>,
    coloured: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = Lines::builder()
        .with_env_filter(EnvFilter::try_new(&log.level)?)
        .with_timer(ClockTime(clock))
        .with_writer(Scrubbed(writer));
    Ok(match log.format {
        LogFormat::Text => Box::new(lines.with_ansi(coloured).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_current_span(false).finish()),
    })
}

/// Microseconds, so that lines sort as text.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl FormatTime for ClockTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        let time = Timestamp::from_microsecond(self.0.now().0).unwrap_or(Timestamp::MAX);
        write!(writer, "{time:.6}")
    }
}

/// Scrubs what it is given to write. A line arrives in one piece, which is written in one piece.
#[derive(Debug)]
struct Scrubbed<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Scrubbed<W> {
    type Writer = Scrubbed<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Scrubbed(self.0.make_writer())
    }
}

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(scrub(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::clock::ManualClock;
    use crate::model::Micros;

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, coloured: bool, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let settings = Log { level: "info".to_owned(), format };
        let clock = Arc::new(ManualClock::at(Micros(1_763_632_800_000_000)));
        let subscriber = subscriber(&settings, clock, coloured, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn log_some() {
        tracing::info!(password = "hunter2", uri = "/api/v1/stream?server_id=7", "session opened");
        tracing::debug!("not at this level");
    }

    #[test]
    fn text_lines_carry_time_level_and_fields_but_no_secrets() {
        let line = logged(LogFormat::Text, false, log_some);
        assert!(line.starts_with("2025-11-20T10:00:00.000000Z  INFO millrace::telemetry::logs::tests: session opened"));
        assert!(line.contains("uri=\"/api/v1/stream?[redacted]\""), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        for coloured in [false, true] {
            assert!(!logged(LogFormat::Text, coloured, log_some).contains("hunter2"));
        }
    }

    #[test]
    fn json_lines_are_json_after_scrubbing() {
        let line = logged(LogFormat::Json, false, log_some);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["timestamp"], "2025-11-20T10:00:00.000000Z");
        assert_eq!(json["message"], "session opened");
        assert_eq!(json["uri"], "/api/v1/stream?[redacted]");
        assert_eq!(json["password"], "[redacted]");
    }
}

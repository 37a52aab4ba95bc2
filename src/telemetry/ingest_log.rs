//! Reports as they came in, for people: one line of JSON each in a file, and a block each on the console. Either only
//! where it is set.
//!
//! A thread of its own writes, and a request never waits for it: what it cannot keep up with is left out and counted. The
//! reports themselves are stored elsewhere, whatever happens here.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded, select};

/// Most reports that wait to be written.
const WAITING_MAX: usize = 1_024;
/// Most bytes of them.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// A file that is longer is put aside, in the place of the one that was put aside before it.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A report, as it is to be shown.
#[derive(Debug, Default)]
pub struct Shown {
    /// For the file: JSON, perhaps over several lines.
    pub entry: String,
    /// For the console.
    pub block: String,
}

/// The end that requests have.
#[derive(Debug)]
pub struct IngestLog {
    waiting: Option<Sender<Shown>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    left_out: AtomicU64,
}

/// The end that writes.
#[derive(Debug)]
pub struct IngestLogWriter {
    waiting: Receiver<Shown>,
    counts: Arc<Counts>,
    file: Option<LogFile>,
    console: bool,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl IngestLog {
    /// The two ends; without anything to write to there is no writer.
    ///
    /// # Errors
    /// When the file cannot be written to.
    pub fn open(path: Option<&Path>, console: bool) -> io::Result<(Self, Option<IngestLogWriter>)> {
        let counts = Arc::<Counts>::default();
        if path.is_none() && !console {
            return Ok((Self { waiting: None, counts }, None));
        }
        let file = path.map(LogFile::open).transpose()?;
        let (sender, waiting) = bounded(WAITING_MAX);
        let writer = IngestLogWriter { waiting, counts: Arc::clone(&counts), file, console };
        Ok((Self { waiting: Some(sender), counts }, Some(writer)))
    }

    /// Puts a report in line, which is made only where somebody wants it.
    pub fn write(&self, report: impl FnOnce() -> Shown) {
        let Some(waiting) = &self.waiting else { return };
        let report = report();
        let bytes = report.bytes();
        let before = self.counts.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > WAITING_BYTES_MAX || waiting.try_send(report).is_err() {
            self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl IngestLogWriter {
    /// Writes until `stopping` resolves, and then what still waits.
    pub async fn run(self, stopping: impl Future<Output = ()>) {
        let (stop, stop_in) = bounded::<()>(0);
        let mut thread = tokio::task::spawn_blocking(move || self.serve(&stop_in));
        let ended = tokio::select! {
            ended = &mut thread => ended,
            () = stopping => {
                drop(stop);
                thread.await
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "the log of reports ended by a fault");
        }
    }

    fn serve(mut self, stop: &Receiver<()>) {
        loop {
            let next = select! {
                recv(self.waiting) -> report => report.ok(),
                recv(stop) -> _ => None,
            };
            let Some(report) = next else { break };
            self.take(&report);
        }
        while let Ok(report) = self.waiting.try_recv() {
            self.take(&report);
        }
    }

    fn take(&mut self, report: &Shown) {
        self.counts.waiting_bytes.fetch_sub(report.bytes(), Ordering::Relaxed);
        if let Err(error) = self.write(report) {
            tracing::warn!(%error, "a report was not written to its log");
        }
        let left_out = self.counts.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(left_out, "the log of reports could not keep up");
        }
    }

    fn write(&mut self, report: &Shown) -> io::Result<()> {
        if self.console {
            io::stdout().lock().write_all(report.block.as_bytes())?;
        }
        self.file.as_mut().map_or(Ok(()), |file| file.append(&report.entry))
    }
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn append(&mut self, entry: &str) -> io::Result<()> {
        if self.bytes >= FILE_BYTES_MAX {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            std::fs::rename(&self.path, aside)?;
            *self = Self::open(&self.path)?;
        }
        // Texts of JSON hold no line ends, so those that there are may go.
        let line: String = entry.chars().filter(|char| !matches!(char, '\n' | '\r')).chain(['\n']).collect();
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }
}

impl Shown {
    fn bytes(&self) -> usize {
        self.entry.len() + self.block.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Shown {
        Shown { entry: text.to_owned(), block: String::new() }
    }

    #[test]
    fn each_report_is_a_line_of_the_file_and_what_was_there_stays() {
        let path = std::env::temp_dir().join(format!("millrace-ingest-{}.log", std::process::id()));
        std::fs::write(&path, "before\n").unwrap();
        let (log, writer) = IngestLog::open(Some(&path), false).unwrap();
        log.write(|| entry("{\"a\":\n1}"));
        log.write(|| entry("{}"));
        let (stop, stopped) = bounded::<()>(0);
        drop(stop);
        writer.unwrap().serve(&stopped);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\n{\"a\":1}\n{}\n");
        assert_eq!(log.counts.waiting_bytes.load(Ordering::Relaxed), 0);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn nobody_waits_for_a_writer_that_does_not_keep_up() {
        let (log, writer) = IngestLog::open(None, true).unwrap();
        (0..WAITING_MAX + 3).for_each(|_| log.write(|| entry("{}")));
        assert_eq!(log.counts.left_out.load(Ordering::Relaxed), 3);
        assert_eq!(writer.unwrap().waiting.len(), WAITING_MAX);
        let (none, writer) = IngestLog::open(None, false).unwrap();
        none.write(|| unreachable!("nobody wants it"));
        assert!(writer.is_none());
    }
}

//! The result of a scenario: a table for the eye and a JSON file for later comparison.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::clock;
use crate::output::{self, Table};

/// What a scenario found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) settings: Value,
    pub(crate) results: Value,
    pub(crate) table: Table,
    /// Sentences that say what was found wrong; none means that every promise held.
    pub(crate) failures: Vec<String>,
}

#[derive(Serialize)]
struct File<'a> {
    scenario: &'a str,
    finished_at: String,
    cores: usize,
    settings: &'a Value,
    results: &'a Value,
    failures: &'a [String],
}

impl Report {
    pub(crate) fn print(&self) {
        output::line(&format!("\n== {}", self.scenario));
        output::table(&self.table);
        self.failures.iter().for_each(|failure| output::line(&format!("FAILED: {failure}")));
    }

    /// Writes `<scenario>-<time>.json` into `dir`, which is made when missing.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(dir)?;
        let finished_at = clock::rfc3339_text(clock::now_ms());
        let file = File {
            scenario: self.scenario,
            finished_at: finished_at.clone(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            settings: &self.settings,
            results: &self.results,
            failures: &self.failures,
        };
        let stamp: String = finished_at.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = dir.join(format!("{}-{stamp}.json", self.scenario));
        std::fs::write(&path, serde_json::to_vec_pretty(&file)?)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_can_be_read_back_from_its_file() {
        let dir = crate::directory::WorkDir::new(None).unwrap();
        let report = Report {
            scenario: "idle",
            settings: serde_json::json!({"rate": 10}),
            results: serde_json::json!({"p50_ms": 1.5}),
            table: Table::default(),
            failures: vec!["too slow".into()],
        };
        let path = report.write(&dir.path().join("results")).unwrap();
        let read: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!((&read["scenario"], &read["failures"][0]), (&"idle".into(), &"too slow".into()));
        assert_eq!(read["results"]["p50_ms"], 1.5);
    }
}

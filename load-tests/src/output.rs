//! Everything a person sees: lines, tables, progress. The only module that prints.

use std::error::Error;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Rows of text under a heading, printed in aligned columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// How far a run of known length has come.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Table {
    pub(crate) fn with_heading(columns: &[&str]) -> Self {
        Self { rows: vec![columns.iter().map(|column| (*column).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The first column is flushed left, the others right, where numbers belong.
    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell: &String| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

impl Bar {
    /// Shown on a terminal only.
    pub(crate) fn new(label: &str, duration: Duration) -> Self {
        let bar = ProgressBar::new(duration.as_millis() as u64);
        let style = ProgressStyle::with_template("{msg:<28} [{bar:30}] {percent:>3} %");
        bar.set_style(style.expect("the template is a constant").progress_chars("=> "));
        bar.set_message(label.to_owned());
        Self(bar)
    }

    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    pub(crate) fn at(&self, elapsed: Duration) {
        self.0.set_position(elapsed.as_millis() as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[expect(clippy::print_stdout, reason = "this is the one module that prints")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "this is the one module that prints")]
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}

pub(crate) fn table(table: &Table) {
    table.lines().iter().for_each(|text| line(text));
}

/// An error and everything that caused it, in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// `2_345_678.0` as `2.35 M`.
pub(crate) fn magnitude(number: f64) -> String {
    match number.abs() {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e4.. => format!("{:.1} k", number / 1e3),
        100.0.. => format!("{number:.0}"),
        _ => format!("{number:.2}"),
    }
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::with_heading(&["what", "n"]);
        table.row(["a long name".into(), "5".into()]);
        table.row(["b".into(), "1234".into()]);
        assert_eq!(table.lines(), ["what            n", "a long name     5", "b            1234"]);
    }

    #[test]
    fn numbers_are_shortened_to_what_can_be_read() {
        assert_eq!([2_345_678.0, 12_345.0, 345.6, 1.234].map(magnitude), ["2.35 M", "12.3 k", "346", "1.23"]);
    }
}

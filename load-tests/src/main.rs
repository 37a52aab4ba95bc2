//! Load, fault and comparison tests for Millrace. Arguments, then one scenario or all, then the exit code.
//!
//! Exit code 0: every promise held. 1: a promise was broken. 2: a scenario could not be run.

mod alerting; // rules, recipients, and what happened
mod cli;
mod client; // one connection, one request, one answer
mod clock;
mod data; // what is sent, known from a seed
mod directory; // where everything is written
mod histogram;
mod output; // what a person sees
mod peers; // what Millrace is compared with
mod process; // programs started here
mod receiver; // who is told
mod report; // a table and a JSON file
mod scenarios; // one promise a file
mod schedule; // when requests are sent
mod sender; // request after request, and what acknowledges them
mod server; // the server under test
mod sink; // a server that costs nothing
mod verify; // what was sent is what is read

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut broken = false;
    for run in cli.runs() {
        let report = match run(&cli.common) {
            Ok(report) => report,
            Err(error) => {
                output::error(&format!("error: {}", output::with_causes(&error)));
                return ExitCode::from(2);
            }
        };
        report.print();
        broken |= !report.failures.is_empty();
        match report.write(&cli.common.results_dir) {
            Ok(path) => output::line(&format!("written to {}", path.display())),
            Err(error) => {
                output::error(&format!("error: cannot write the result: {error}"));
                return ExitCode::from(2);
            }
        }
    }
    if broken { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

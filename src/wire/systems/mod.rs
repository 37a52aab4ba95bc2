//! The agents of the systems that Millrace replaces: each sends one JSON document about its machine every few seconds.
//!
//! A document becomes three things: samples, by the rules of its system ([`tree::series`]); events and log lines, where it
//! has some; and itself, kept as it came for those who ask for it. `report` is what all of them share.
//!
//! [`tree::series`]: super::tree::series

pub mod console; // a report for people
pub mod fleet; // snapshots of Windows machines, and what their agent really sends
mod moment; // the times of four systems
pub mod python; // how values look to the programs these systems were written in
mod report; // a document's time, samples, events and lines
pub mod richardops; // signed reports with events and logs
pub mod statusmonitor; // reports of agents with tokens
pub mod syncpulse; // whatever an agent knows, kept verbatim
pub mod validation; // what is wrong with a document, all at once

pub use report::{Happening, Line, write_samples};

use super::tree::series::{Rule, table};

/// The rules of every system, as chapters of the documentation.
pub fn documentation() -> String {
    let chapters: [(&str, &[Rule]); 4] = [
        ("Fleet snapshots", fleet::RULES),
        ("RichardOps reports", richardops::RULES),
        ("SyncPulse reports", syncpulse::RULES),
        ("StatusMonitor reports", statusmonitor::RULES),
    ];
    let chapter = |(name, rules): (&str, &[Rule])| format!("### {name}\n\n{}", table(rules));
    chapters.map(chapter).join("\n")
}

#[cfg(test)]
mod tests {
    /// Printed by [`super::documentation`]; when this fails, what it prints is right.
    const DOCUMENTED: &str = include_str!("../../../docs/reports.md");

    #[test]
    fn the_documentation_shows_the_rules_as_they_are() {
        let rules = super::documentation();
        assert!(DOCUMENTED.ends_with(&rules), "{rules}");
    }
}

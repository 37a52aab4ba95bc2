//! The endpoints of the systems that Millrace replaces: what their agents send, and what their dashboards ask.

pub(super) mod agent_rules; // alerts of agents of persons
pub(super) mod alerts; // what was found in reports
pub(super) mod fleet; // snapshots of Windows machines
pub(super) mod front_page; // what several systems answer on one path
pub(super) mod hosts; // what the fleet's pages show
pub(super) mod ingest; // `POST /ingest`, which three systems share
mod report; // one document of one machine, kept whole
pub mod report_of_agent; // reports to the sockets of the agents' owners
pub(super) mod richardops; // signed reports, and their dashboard
pub(super) mod statusmonitor; // reports of agents with tokens
pub(super) mod syncpulse; // reports that are handed out again
pub(super) mod recipient; // the Telegram chat of a person

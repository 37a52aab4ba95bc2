//! Dialects: bytes in, one plain [`crate::model::Intake`] out. Pure: no I/O, no clock, no catalog, no HTTP.

pub mod spans; // where the items of a body stand
pub mod composed; // identities that a decoder puts together
mod decimal; // digits to floats
pub mod influx; // line protocol
pub mod otlp; // OpenTelemetry, protobuf and JSON
mod tags; // tags of the two below
pub mod graphite; // plain text of Graphite
pub mod statsd; // StatsD and what an interval of it comes to
pub mod json; // the grammar every JSON dialect shares
pub mod gauges; // what the values of agents with fixed metrics are called
pub mod prometheus; // remote write, text of exporters
pub mod native; // the bulk metrics body, and metrics as they are answered
pub mod lines; // samples one a line, as they are exported and imported
pub mod tree; // whole JSON documents
pub mod systems; // the agents of the systems that are replaced

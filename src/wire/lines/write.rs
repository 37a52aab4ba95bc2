//! Series and samples to lines. What the samples of a series share is written once and repeated.

use super::csv_text::csv_text;
use super::{LineFormat, spelling};
use crate::model::{Micros, Series};
use crate::wire::native::{write_json_number, write_json_string, write_labels};

/// Writes lines of one format.
#[derive(Debug)]
pub struct LineWriter {
    format: LineFormat,
    with_hostname: bool,
    /// The line of the current series up to its time.
    before_time: Vec<u8>,
}

impl LineWriter {
    /// `with_hostname` adds the name of the host to every line.
    pub fn new(format: LineFormat, with_hostname: bool) -> Self {
        Self { format, with_hostname, before_time: Vec::new() }
    }

    /// What comes before the first line.
    pub fn head(&self) -> &'static str {
        match (self.format, self.with_hostname) {
            (LineFormat::Ndjson, _) => "",
            (LineFormat::Csv, false) => "server_id,metric_type,metric_name,labels,timestamp,value\n",
            (LineFormat::Csv, true) => "server_id,hostname,metric_type,metric_name,labels,timestamp,value\n",
        }
    }

    /// The samples that follow are of this series.
    pub fn begin(&mut self, series: &Series, hostname: &str) {
        self.before_time.clear();
        match self.format {
            LineFormat::Ndjson => self.begin_ndjson(series, hostname),
            LineFormat::Csv => self.begin_csv(series, hostname),
        }
    }

    /// Appends one line.
    pub fn sample(&self, time: Micros, value: f64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before_time);
        time.write_rfc3339(out);
        match (self.format, value.is_finite()) {
            (LineFormat::Ndjson, true) => {
                out.extend_from_slice(b"\",\"value\":");
                write_json_number(out, value);
                out.push(b'}');
            }
            (LineFormat::Ndjson, false) => {
                out.extend_from_slice(b"\",\"value\":\"");
                spelling::write(value, out);
                out.extend_from_slice(b"\"}");
            }
            (LineFormat::Csv, is_finite) => {
                out.push(b',');
                if is_finite { write_json_number(out, value) } else { spelling::write(value, out) }
            }
        }
        out.push(b'\n');
    }

    fn begin_ndjson(&mut self, series: &Series, hostname: &str) {
        let out = &mut self.before_time;
        out.extend_from_slice(b"{\"server_id\":\"");
        out.extend_from_slice(series.server_id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
        out.push(b'"');
        let hostname = self.with_hostname.then_some(("hostname", hostname));
        let identity = &series.identity;
        let texts = [("metric_type", identity.metric_type()), ("metric_name", identity.metric_name())];
        for (name, text) in hostname.into_iter().chain(texts) {
            out.push(b',');
            write_json_string(out, name);
            out.push(b':');
            write_json_string(out, text);
        }
        out.extend_from_slice(b",\"labels\":");
        write_labels(out, identity.labels());
        out.extend_from_slice(b",\"timestamp\":\"");
    }

    fn begin_csv(&mut self, series: &Series, hostname: &str) {
        let out = &mut self.before_time;
        out.extend_from_slice(series.server_id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
        out.push(b',');
        let hostname = self.with_hostname.then_some(hostname);
        let identity = &series.identity;
        for text in hostname.into_iter().chain([identity.metric_type(), identity.metric_name()]) {
            csv_text(text.as_bytes(), out);
            out.push(b',');
        }
        let mut labels = Vec::new();
        write_labels(&mut labels, identity.labels());
        csv_text(&labels, out);
        out.push(b',');
    }
}

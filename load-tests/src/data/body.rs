//! Request bodies that are rendered once and then only patched: ids, times and values change, no byte moves.
//!
//! A body is a prefix, equally long rows and a suffix. A row is one host at one time with its ten metrics. Everything
//! that varies has one width in each dialect, so filling a row is a few small copies.

use super::{Host, METRIC_TYPE, METRICS};
use crate::clock;

/// From the Unix epoch to PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_TRAILER: &[u8] = &[0xff, 0xff];
/// What a time in milliseconds takes in remote write, from 2004 to 2109.
const VARINT_BYTES: usize = 6;

/// In what a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// System 002's ingest request. All rows are of one host, whose id stands on top.
    Json,
    /// Influx line protocol, one line a row.
    Influx,
    /// Remote write 1.0 before it is compressed: a row is ten series with a sample each.
    RemoteWrite,
    /// PostgreSQL's binary COPY: server, type, name, value, labels, timestamp.
    Copy,
}

/// A body ready to be patched.
#[derive(Debug)]
pub(crate) struct Body {
    dialect: Dialect,
    bytes: Vec<u8>,
    rows_start: usize,
    row: Row,
}

/// One row with the places in it that vary, relative to its beginning.
#[derive(Debug, Default)]
struct Row {
    bytes: Vec<u8>,
    hosts: Vec<usize>,
    regions: Vec<usize>,
    datacenters: Vec<usize>,
    times: Vec<usize>,
    values: Vec<usize>,
}

impl Body {
    pub(crate) fn new(dialect: Dialect, rows: usize) -> Self {
        let row = Row::of(dialect);
        let (prefix, suffix): (&[u8], &[u8]) = match dialect {
            Dialect::Json => (br#"{"server_id":"000000000000000000000000000000000000","metrics":["#, b"]}"),
            Dialect::Influx | Dialect::RemoteWrite => (b"", b""),
            Dialect::Copy => (COPY_HEADER, COPY_TRAILER),
        };
        let mut bytes = prefix.to_vec();
        (0..rows).for_each(|_| bytes.extend_from_slice(&row.bytes));
        if dialect == Dialect::Json && rows > 0 {
            // Every row begins with the comma that parts it from the one before; the first has none before it.
            bytes[prefix.len()] = b' ';
        }
        bytes.extend_from_slice(suffix);
        Self { dialect, bytes, rows_start: prefix.len(), row }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names the host of the whole request, where the dialect does so.
    pub(crate) fn set_host(&mut self, host: &Host) {
        if self.dialect == Dialect::Json {
            self.bytes[14..50].copy_from_slice(&host.id_text);
        }
    }

    /// Writes the samples of `host` at `time_ms` into a row.
    pub(crate) fn set_row(&mut self, row: usize, host: &Host, time_ms: i64, cents: &[i32; METRICS.len()]) {
        let stride = self.row.bytes.len();
        let start = self.rows_start + row * stride;
        let to = &mut self.bytes[start..start + stride];
        put(to, &self.row.regions, &host.region);
        put(to, &self.row.datacenters, &host.datacenter);
        match self.dialect {
            Dialect::Json => {
                put(to, &self.row.times, &clock::rfc3339_ms(time_ms));
                put_texts(to, &self.row.values, cents);
            }
            Dialect::Influx => {
                let mut time_ns = [0; 19];
                clock::write_digits(&mut time_ns, time_ms * 1_000_000);
                put(to, &self.row.times, &time_ns);
                put(to, &self.row.hosts, &host.name);
                put_texts(to, &self.row.values, cents);
            }
            Dialect::RemoteWrite => {
                put(to, &self.row.times, &six_byte_varint(time_ms));
                put(to, &self.row.hosts, &host.name);
                for (place, cents) in self.row.values.iter().zip(cents) {
                    to[*place..*place + 8].copy_from_slice(&super::walk::value(*cents).to_le_bytes());
                }
            }
            Dialect::Copy => {
                put(to, &self.row.times, &(time_ms * 1000 - POSTGRES_EPOCH_US).to_be_bytes());
                put(to, &self.row.hosts, host.id.as_bytes());
                for (place, cents) in self.row.values.iter().zip(cents) {
                    to[*place..*place + 8].copy_from_slice(&super::walk::value(*cents).to_be_bytes());
                }
            }
        }
    }
}

impl Row {
    fn of(dialect: Dialect) -> Self {
        let mut row = Self::default();
        match dialect {
            Dialect::Json => METRICS.iter().for_each(|name| row.json_sample(name)),
            Dialect::Influx => row.influx_line(),
            Dialect::RemoteWrite => METRICS.iter().for_each(|name| row.series(name)),
            Dialect::Copy => METRICS.iter().for_each(|name| row.copy_tuple(name)),
        }
        row
    }

    fn json_sample(&mut self, name: &str) {
        self.text(&format!(r#",{{"metric_type":"{METRIC_TYPE}","metric_name":"{name}","value":"#));
        self.gap(|row| &mut row.values, b"00.00");
        self.text(r#","labels":"#);
        self.labels();
        self.text(r#","timestamp":""#);
        self.gap(|row| &mut row.times, &[b'0'; clock::RFC3339_MS_BYTES]);
        self.text(r#""}"#);
    }

    fn influx_line(&mut self) {
        self.text("cpu,hostname=");
        self.gap(|row| &mut row.hosts, &[b'0'; 11]);
        self.text(",region=");
        self.gap(|row| &mut row.regions, &[b'0'; 9]);
        self.text(",datacenter=");
        self.gap(|row| &mut row.datacenters, &[b'0'; 10]);
        for (place, name) in METRICS.iter().enumerate() {
            self.text(if place == 0 { " " } else { "," });
            self.text(name);
            self.text("=");
            self.gap(|row| &mut row.values, b"00.00");
        }
        self.text(" ");
        self.gap(|row| &mut row.times, &[b'0'; 19]);
        self.text("\n");
    }

    /// Labels in the order of their names, as Prometheus sends them.
    fn series(&mut self, name: &str) {
        let mut series = Self::default();
        series.label("__name__", |row| row.text(name));
        series.label("datacenter", |row| row.gap(|row| &mut row.datacenters, &[b'0'; 10]));
        series.label("instance", |row| row.gap(|row| &mut row.hosts, &[b'0'; 11]));
        series.label("region", |row| row.gap(|row| &mut row.regions, &[b'0'; 9]));
        let mut sample = Self::default();
        sample.bytes.push(1 << 3 | 1);
        sample.gap(|row| &mut row.values, &[0; 8]);
        sample.bytes.push(2 << 3);
        sample.gap(|row| &mut row.times, &[0; VARINT_BYTES]);
        series.message(2, sample);
        self.message(1, series);
    }

    fn label(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        let (mut label, mut of_name, mut of_value) = (Self::default(), Self::default(), Self::default());
        of_name.text(name);
        value(&mut of_value);
        label.message(1, of_name);
        label.message(2, of_value);
        self.message(1, label);
    }

    /// A field of protocol buffers with a length before it.
    fn message(&mut self, field: u8, content: Self) {
        self.bytes.push(field << 3 | 2);
        let mut length = content.bytes.len();
        while length >= 0x80 {
            self.bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.bytes.push(length as u8);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&content.bytes);
        let moved = |places: Vec<usize>| places.into_iter().map(move |place| place + start);
        self.hosts.extend(moved(content.hosts));
        self.regions.extend(moved(content.regions));
        self.datacenters.extend(moved(content.datacenters));
        self.times.extend(moved(content.times));
        self.values.extend(moved(content.values));
    }

    fn copy_tuple(&mut self, name: &str) {
        self.bytes.extend_from_slice(&6_i16.to_be_bytes());
        self.field_length(16);
        self.gap(|row| &mut row.hosts, &[0; 16]);
        for text in [METRIC_TYPE, name] {
            self.field_length(text.len());
            self.text(text);
        }
        self.field_length(8);
        self.gap(|row| &mut row.values, &[0; 8]);
        let length_at = self.bytes.len();
        self.field_length(0);
        // The first byte of a binary jsonb is the version of its format.
        self.bytes.push(1);
        self.labels();
        let length = (self.bytes.len() - length_at - 4) as u32;
        self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        self.field_length(8);
        self.gap(|row| &mut row.times, &[0; 8]);
    }

    fn labels(&mut self) {
        self.text(r#"{"datacenter":""#);
        self.gap(|row| &mut row.datacenters, &[b'0'; 10]);
        self.text(r#""}"#);
    }

    fn field_length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u32).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends what stands there until it is patched, and notes where.
    fn gap(&mut self, places: fn(&mut Self) -> &mut Vec<usize>, placeholder: &[u8]) {
        let place = self.bytes.len();
        places(self).push(place);
        self.bytes.extend_from_slice(placeholder);
    }
}

/// A time of these decades, which takes that many bytes.
fn six_byte_varint(time_ms: i64) -> [u8; VARINT_BYTES] {
    std::array::from_fn(|place| {
        let more = if place + 1 < VARINT_BYTES { 0x80 } else { 0 };
        (time_ms >> (7 * place)) as u8 & 0x7f | more
    })
}

fn put<const WIDTH: usize>(to: &mut [u8], places: &[usize], text: &[u8; WIDTH]) {
    for place in places {
        to[*place..*place + WIDTH].copy_from_slice(text);
    }
}

fn put_texts(to: &mut [u8], places: &[usize], cents: &[i32]) {
    for (place, cents) in places.iter().zip(cents) {
        let digit = |divisor: i32| b'0' + (cents / divisor % 10) as u8;
        to[*place..*place + 5].copy_from_slice(&[digit(1000), digit(100), b'.', digit(10), digit(1)]);
    }
}

#[cfg(test)]
mod tests;

//! Records of CSV to points. The head says which column is which.
//!
//! Points name their series as the native dialect spells them, so that one spelling means one series in every dialect:
//! texts are copied into a body of their own, once for each run of records that repeat them.

use uuid::Uuid;

use super::record::{self, COLUMNS_MAX, Field};
use super::{Naming, spelling};
use crate::model::{Code, Intake, Micros, RawIdentity, Span};
use crate::wire::json;
use crate::wire::native::write_json_string;

/// How much of a client's own text is repeated in a message, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Where the columns that mean something stand; `COLUMNS_MAX` for one that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns([usize; NAMES.len()]);

const NAMES: [&str; 7] = ["server_id", "hostname", "metric_type", "metric_name", "labels", "timestamp", "value"];
const SERVER_ID: usize = 0;
const HOSTNAME: usize = 1;
const METRIC_TYPE: usize = 2;
const METRIC_NAME: usize = 3;
const LABELS: usize = 4;
const TIMESTAMP: usize = 5;
const VALUE: usize = 6;
/// What every head must have, beside one that names the server.
const NEEDED: [usize; 4] = [METRIC_TYPE, METRIC_NAME, TIMESTAMP, VALUE];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("the head of the CSV cannot be read: {0}")]
    Malformed(&'static str),
    #[error("the head of the CSV has no column {0}")]
    Missing(&'static str),
    #[error("the head of the CSV has the column {0} twice")]
    Twice(&'static str),
}

/// Reads the head at the beginning of `text` and answers where it ends.
///
/// # Errors
/// When a column that is needed is not there, or one is there twice.
pub fn head(text: &[u8]) -> Result<(Columns, usize), HeadError> {
    // Some spreadsheets begin a file with a mark.
    let mark = if text.starts_with("\u{feff}".as_bytes()) { "\u{feff}".len() } else { 0 };
    let mut fields = Vec::new();
    let (end, outcome) = record::read(&text[mark..], &mut fields);
    outcome.map_err(HeadError::Malformed)?;
    let mut columns = [COLUMNS_MAX; NAMES.len()];
    for (place, field) in fields.iter().enumerate() {
        let text = field.text();
        let Some(known) = NAMES.iter().position(|name| name.as_bytes() == text.trim_ascii()) else { continue };
        if columns[known] != COLUMNS_MAX {
            return Err(HeadError::Twice(NAMES[known]));
        }
        columns[known] = place;
    }
    if let Some(missing) = NEEDED.into_iter().find(|column| columns[*column] == COLUMNS_MAX) {
        return Err(HeadError::Missing(NAMES[missing]));
    }
    if columns[SERVER_ID] == COLUMNS_MAX && columns[HOSTNAME] == COLUMNS_MAX {
        return Err(HeadError::Missing(NAMES[SERVER_ID]));
    }
    Ok((Columns(columns), mark + end))
}

/// Decodes whole records into `intake`, which the caller has cleared; the position of an item is that of the line its
/// record begins on. `body` is cleared and becomes what the identities of the points are spans of.
pub fn decode(text: &[u8], columns: Columns, body: &mut Vec<u8>, intake: &mut Intake, naming: Naming<'_>) {
    body.clear();
    let mut reader = Reader { columns, last: Last::default(), naming };
    let (mut at, mut fields) = (0, Vec::with_capacity(COLUMNS_MAX));
    while at < text.len() {
        let (length, outcome) = record::read(&text[at..], &mut fields);
        let is_blank = fields.len() == 1 && fields[0].raw.trim_ascii().is_empty();
        let point = outcome.map_err(|problem| (Code::MalformedLine, problem.to_owned()));
        if !is_blank || point.is_err() {
            match point.and_then(|()| reader.point(&fields, body)) {
                Ok((server, identity, time, value)) => {
                    let server = intake.server_index(server);
                    intake.points.push(intake.items, server, identity, time, value);
                }
                Err((code, message)) => intake.verdicts.refuse(intake.items, code, || message),
            }
        }
        let record = &text[at..at + length];
        let ends = memchr::memchr_iter(b'\n', record).count() as u32;
        intake.items += ends + u32::from(!record.ends_with(b"\n"));
        at += length;
    }
}

type Refused = (Code, String);

struct Reader<'a, 'n> {
    columns: Columns,
    last: Last<'a>,
    naming: Naming<'n>,
}

/// What the record before said, and what that came to. `None` before the first.
#[derive(Default)]
struct Last<'a> {
    server: Option<([Field<'a>; 2], Uuid)>,
    identity: Option<([Field<'a>; 3], RawIdentity)>,
    time: Option<(&'a [u8], Micros)>,
}

impl<'a> Reader<'a, '_> {
    fn point(&mut self, fields: &[Field<'a>], body: &mut Vec<u8>) -> Result<(Uuid, RawIdentity, Micros, f64), Refused> {
        let field = |column: usize| fields.get(self.columns.0[column]).copied().unwrap_or_default();
        let server = [SERVER_ID, HOSTNAME].map(field);
        let identity = [METRIC_TYPE, METRIC_NAME, LABELS].map(field);
        let (time, value) = (field(TIMESTAMP), field(VALUE));
        if let Some(missing) = NEEDED.into_iter().find(|column| field(*column).raw.is_empty()) {
            return Err((Code::MissingField, format!("{} is required", NAMES[missing])));
        }
        Ok((self.server(server)?, self.identity(identity, body)?, self.time(time)?, number(&value.text())?))
    }

    fn server(&mut self, fields: [Field<'a>; 2]) -> Result<Uuid, Refused> {
        if let Some((_, server)) = self.last.server.filter(|(last, _)| *last == fields) {
            return Ok(server);
        }
        let (id, hostname) = (fields[0].text(), fields[1].text());
        let mut server = match id.trim_ascii() {
            [] => Uuid::nil(),
            id => Uuid::try_parse_ascii(id)
                .map_err(|_| (Code::InvalidServerId, format!("server_id must be a UUID, got \"{}\"", shown(id))))?,
        };
        if !hostname.is_empty() {
            server = (self.naming)(server, &hostname);
        }
        if server.is_nil() {
            return Err((Code::MissingField, "server_id is required".to_owned()));
        }
        self.last.server = Some((fields, server));
        Ok(server)
    }

    fn identity(&mut self, fields: [Field<'a>; 3], body: &mut Vec<u8>) -> Result<RawIdentity, Refused> {
        if let Some((_, identity)) = self.last.identity.filter(|(last, _)| *last == fields) {
            return Ok(identity);
        }
        let [metric_type, metric_name, labels] = fields.map(Field::text);
        let identity = RawIdentity {
            metric_type: spelt("metric_type", &metric_type, body)?,
            metric_name: spelt("metric_name", &metric_name, body)?,
            labels: spelt_labels(&labels, body)?,
        };
        self.last.identity = Some((fields, identity));
        Ok(identity)
    }

    fn time(&mut self, field: Field<'a>) -> Result<Micros, Refused> {
        if let Some((_, time)) = self.last.time.filter(|(last, _)| *last == field.raw) {
            return Ok(time);
        }
        let time = Micros::parse_rfc3339(field.raw).ok_or_else(|| {
            (Code::InvalidTimestamp, format!("timestamp must be RFC 3339, got \"{}\"", shown(field.raw)))
        })?;
        self.last.time = Some((field.raw, time));
        Ok(time)
    }
}

/// Appends `text` as it would stand between the quotes of a JSON string.
fn spelt(what: &str, text: &[u8], body: &mut Vec<u8>) -> Result<Span, Refused> {
    let text = std::str::from_utf8(text).map_err(|_| (Code::InvalidText, format!("{what} is not UTF-8")))?;
    let start = body.len() + 1;
    write_json_string(body, text);
    Ok(Span::new(start, body.len() - 1))
}

fn spelt_labels(text: &[u8], body: &mut Vec<u8>) -> Result<Span, Refused> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(Span::default());
    }
    if !text.starts_with(b"{") || json::check(text).is_err() {
        return Err((Code::InvalidLabels, format!("labels must be a JSON object, got \"{}\"", shown(text))));
    }
    let start = body.len();
    body.extend_from_slice(text);
    Ok(Span::new(start, body.len()))
}

fn number(text: &[u8]) -> Result<f64, Refused> {
    let text = text.trim_ascii();
    if let Some(value) = spelling::read(text) {
        return Ok(value);
    }
    let is_number =
        |text: &&str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let parsed = std::str::from_utf8(text).ok().filter(is_number).and_then(|text| text.parse::<f64>().ok());
    match parsed {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err((Code::NumberOutOfRange, format!("value {} is too large for a 64-bit float", shown(text)))),
        None => Err((Code::InvalidType, format!("value must be a number, NaN, +Inf or -Inf, got \"{}\"", shown(text)))),
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN_CHARS_MAX)]).chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native;

    const HEAD: &str = "metric_name,value,timestamp,server_id,metric_type,labels,other\n";
    const SERVER: &str = "7f0c6f0e-4d3c-4c55-9a52-0c5d2f4a9b11";

    fn decoded(records: &str) -> (Intake, Vec<u8>) {
        let (columns, end) = head(HEAD.as_bytes()).unwrap();
        assert_eq!(end, HEAD.len());
        let (mut intake, mut body) = (Intake::default(), Vec::new());
        decode(records.as_bytes(), columns, &mut body, &mut intake, &mut |server, _| server);
        (intake, body)
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let labels = "\"{\"\"core\"\":\"\"0\"\"}\"";
        let (intake, body) = decoded(&format!(
            "\"usa\"\"ge\\\",1.5,2025-11-20T10:00:00Z,{SERVER},cpu,{labels},x\n\nload,NaN,2025-11-20T10:00:00Z,{SERVER},cpu,,"
        ));
        assert_eq!(intake.verdicts.listed(), []);
        assert_eq!(intake.points.items, [0, 2]);
        let identity = native::identity(&body, intake.points.identities[0]).unwrap();
        assert_eq!((identity.metric_name(), identity.labels().get("core")), ("usa\"ge\\", Some("0")));
        assert!(native::identity(&body, intake.points.identities[1]).unwrap().labels().is_empty());
        assert!(intake.points.values[1].is_nan());
    }

    #[test]
    fn a_broken_record_is_refused_by_the_line_it_begins_on() {
        let good = format!("a,1,2025-11-20T10:00:00Z,{SERVER},cpu,,\n");
        for (broken, code) in [
            ("a\n", Code::MissingField),
            ("a,1,yesterday,,cpu,,\n", Code::MissingField),
            (&format!("a,1,yesterday,{SERVER},cpu,,\n"), Code::InvalidTimestamp),
            (&format!("a,one,2025-11-20T10:00:00Z,{SERVER},cpu,,\n"), Code::InvalidType),
            (&format!("a,1e400,2025-11-20T10:00:00Z,{SERVER},cpu,,\n"), Code::NumberOutOfRange),
            (&format!("a,1,2025-11-20T10:00:00Z,{SERVER},cpu,[],\n"), Code::InvalidLabels),
            ("a,1,2025-11-20T10:00:00Z,x,cpu,,\n", Code::InvalidServerId),
            ("\"a\"b,1\n", Code::MalformedLine),
        ] {
            let (intake, _) = decoded(&format!("\"a\nb\"{}{broken}{good}", &good[1..]));
            assert_eq!(intake.points.items, [0, 3], "{broken}");
            let listed = intake.verdicts.listed();
            assert_eq!((listed.len(), listed[0].index, listed[0].code), (1, 2, code), "{broken}");
        }
    }

    #[test]
    fn a_head_needs_its_columns_once() {
        assert_eq!(head(b"a,b\n"), Err(HeadError::Missing("metric_type")));
        assert_eq!(head(b"metric_type,metric_name,timestamp,value\n"), Err(HeadError::Missing("server_id")));
        assert_eq!(head(b"value,value\n"), Err(HeadError::Twice("value")));
    }
}

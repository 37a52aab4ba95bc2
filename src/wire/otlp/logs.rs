//! A request to its log records: server, time, source, level and message of each.

use std::borrow::Cow;

use super::attributes;
use super::decode::numbered;
use super::message::{Fields, Malformed};
use super::origin::{Origin, Reading};
use super::room::{Room, Unread};
use crate::model::{Intake, Micros};

/// What a record takes beside its texts.
const RECORD_BYTES: usize = size_of::<Record>();
/// Names of severities: 1 to 4 are the first, 5 to 8 the second and so on.
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

/// A log record whose server is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position in the request.
    pub item: u32,
    pub host: String,
    pub time: Micros,
    /// The name of the service, or `otlp`.
    pub source: String,
    pub level: String,
    pub message: String,
}

/// Decodes a request of log records in its protobuf form; those that cannot be stored are refused by their position.
///
/// # Errors
/// When it is no OTLP request, or there is no room for what it holds.
pub fn decode_logs(
    body: &[u8],
    reading: &Reading,
    intake: &mut Intake,
    room: &mut Room<'_>,
) -> Result<Vec<Record>, Unread> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for field in numbered(body, 1) {
        let resource = field?.bytes()?;
        let origin = Origin::of_resource(resource, reading)?;
        for scope in numbered(resource, 2) {
            for field in numbered(scope?.bytes()?, 2) {
                let item = intake.items;
                intake.items += 1;
                match record(field?.bytes()?, &origin, item)? {
                    Ok(record) => {
                        let texts = [&record.host, &record.source, &record.level, &record.message];
                        bytes += RECORD_BYTES + texts.iter().map(|text| text.len()).sum::<usize>();
                        room.need(bytes)?;
                        records.push(record);
                    }
                    Err(refusal) => intake.verdicts.refuse(item, refusal.code(), || refusal.to_string()),
                }
            }
        }
    }
    Ok(records)
}

fn record(
    message: &[u8],
    origin: &Origin<'_>,
    item: u32,
) -> Result<Result<Record, super::refusal::Refusal>, Malformed> {
    let (mut time, mut observed, mut severity) = (0, 0, 0);
    let (mut level, mut text) = (&[][..], Ok(Cow::Borrowed("")));
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => time = field.fixed64()?,
            2 => severity = field.varint()?,
            3 => level = field.bytes()?,
            5 => text = attributes::text(field.bytes()?)?,
            11 => observed = field.fixed64()?,
            _ => {}
        }
    }
    if let Some(refusal) = &origin.refusal {
        return Ok(Err(refusal.clone()));
    }
    let nanos = if time == 0 { observed } else { time };
    if nanos == 0 {
        return Ok(Err(super::refusal::Refusal::NoTime));
    }
    let named = usize::try_from(severity).ok().and_then(|severity| LEVELS.get(severity.checked_sub(1)? / 4));
    let level = String::from_utf8_lossy(level);
    Ok(text.map(|text| Record {
        item,
        host: origin.host.clone().into_owned(),
        time: Micros((nanos / 1_000).cast_signed()),
        source: origin.service.as_deref().unwrap_or("otlp").to_owned(),
        level: if level.is_empty() { named.copied().unwrap_or_default().to_owned() } else { level.into_owned() },
        message: text.into_owned(),
    }))
}

//! The document around the items: `server_id` and `metrics` in any order, everything else passed over.

use uuid::Uuid;

use super::error::{DocumentError, Problem};
use super::item::{Item, ItemReader, server_id};
use super::refusal::{Refusal, shown};
use crate::model::{Intake, Points};
use crate::wire::json::{Kind, Scanner};

/// Stands for the server of the document while that is not known yet, because it may follow the items.
const SERVER_PENDING: u32 = u32::MAX;
/// How many containers stand around the fields of the document, and around the items.
const FIELD_DEPTH: u32 = 1;
const ITEM_DEPTH: u32 = 2;

/// Decodes one bulk body into `intake`, which the caller has cleared. Items that cannot be used are refused there, one
/// verdict each, in the order of the document, except that those which turn out at its end to have no server come last.
///
/// Samples name their series by spans of `body`: the type and name as they are spelt between their quotes, the labels
/// as the whole object, or an empty span when there are none. See [`super::identity`].
///
/// # Errors
/// When `body` is not one JSON object, or its own fields cannot be used. Nothing of `intake` may be used then.
pub fn decode(body: &[u8], intake: &mut Intake) -> Result<(), DocumentError> {
    let mut scanner = Scanner::new(body)?;
    let mut document = Document::default();
    open(&mut scanner, "the document", b'{', "an object")?;
    if scanner.token() == b'}' {
        scanner.step(1);
    } else {
        document.fields(&mut scanner, intake)?;
    }
    if scanner.token() != 0 || scanner.at() < body.len() {
        return Err(scanner.unexpected("the end of the document").into());
    }
    if !document.server_seen && !document.metrics_seen {
        return Err(DocumentError { offset: body.len(), problem: Problem::Nothing });
    }
    document.settle(body, intake);
    Ok(())
}

/// What the document itself says so far.
#[derive(Debug, Default)]
struct Document {
    server_seen: bool,
    metrics_seen: bool,
    /// Nil when absent, null or empty.
    server: Uuid,
    /// Whether samples wait for `server`.
    pending: bool,
}

impl Document {
    fn fields(&mut self, scanner: &mut Scanner<'_>, intake: &mut Intake) -> Result<(), DocumentError> {
        loop {
            if scanner.token() != b'"' {
                return Err(scanner.unexpected("a quoted name").into());
            }
            let offset = scanner.at();
            let name = scanner.string()?;
            scanner.expect(b':', "a colon")?;
            match name.decoded(scanner.body()).as_deref() {
                Ok(b"server_id") => {
                    once(&mut self.server_seen, offset, "server_id")?;
                    self.server(scanner)?;
                }
                Ok(b"metrics") => {
                    once(&mut self.metrics_seen, offset, "metrics")?;
                    self.metrics(scanner, intake)?;
                }
                _ => scanner.skip_value(FIELD_DEPTH)?,
            }
            match scanner.token() {
                b',' => scanner.step(1),
                b'}' => break,
                _ => return Err(scanner.unexpected("a comma or a closing brace").into()),
            }
        }
        scanner.step(1);
        Ok(())
    }

    fn server(&mut self, scanner: &mut Scanner<'_>) -> Result<(), DocumentError> {
        if scanner.token() == b'n' {
            return Ok(scanner.literal("null")?);
        }
        check_type(scanner, "server_id", b'"', "a string")?;
        let offset = scanner.at();
        let text = scanner.string()?;
        self.server = server_id(text, scanner).ok_or_else(|| {
            let text = format!("\"{}\"", shown(text.raw(scanner.body())));
            DocumentError { offset, problem: Problem::InvalidServerId { text } }
        })?;
        Ok(())
    }

    fn metrics(&mut self, scanner: &mut Scanner<'_>, intake: &mut Intake) -> Result<(), DocumentError> {
        if scanner.token() == b'n' {
            return Ok(scanner.literal("null")?);
        }
        open(scanner, "metrics", b'[', "an array")?;
        if scanner.token() == b']' {
            scanner.step(1);
            return Ok(());
        }
        let mut items = ItemReader::default();
        loop {
            if scanner.token() == b'{' {
                let item = items.read(scanner)?;
                self.keep(scanner.body(), item, intake);
            } else {
                let Some(got) = Kind::of(scanner.token()) else { return Err(scanner.unexpected("a value").into()) };
                scanner.skip_value(ITEM_DEPTH)?;
                refuse(scanner.body(), intake, intake.items, Refusal::NotAnObject { got });
            }
            intake.items += 1;
            match scanner.token() {
                b',' => scanner.step(1),
                b']' => break,
                _ => return Err(scanner.unexpected("a comma or a closing bracket").into()),
            }
        }
        scanner.step(1);
        Ok(())
    }

    #[inline(always)]
    fn keep(&mut self, body: &[u8], item: Item, intake: &mut Intake) {
        if let Some(refusal) = item.refusal {
            return refuse(body, intake, intake.items, refusal);
        }
        let server = if item.server.is_nil() { self.server } else { item.server };
        let server = if server.is_nil() { SERVER_PENDING } else { intake.server_index(server) };
        self.pending |= server == SERVER_PENDING;
        intake.points.push(intake.items, server, item.identity, item.time, item.value);
    }

    /// Gives the samples that wait for it the server of the document, or refuses them if it has none.
    fn settle(&self, body: &[u8], intake: &mut Intake) {
        if !self.pending {
            return;
        }
        if !self.server.is_nil() {
            let index = intake.server_index(self.server);
            let servers = intake.points.servers.iter_mut();
            servers.filter(|server| **server == SERVER_PENDING).for_each(|server| *server = index);
            return;
        }
        let Points { items, servers, identities, times, values } = std::mem::take(&mut intake.points);
        for (index, item) in items.into_iter().enumerate() {
            if servers[index] == SERVER_PENDING {
                refuse(body, intake, item, Refusal::NoServer);
            } else {
                intake.points.push(item, servers[index], identities[index], times[index], values[index]);
            }
        }
    }
}

/// Checks that the next value starts with `first`, and otherwise says what it is instead.
fn check_type(
    scanner: &mut Scanner<'_>,
    what: &'static str,
    first: u8,
    expected: &'static str,
) -> Result<(), DocumentError> {
    match (scanner.token(), Kind::of(scanner.token())) {
        (next, _) if next == first => Ok(()),
        (_, Some(got)) => {
            Err(DocumentError { offset: scanner.at(), problem: Problem::WrongType { what, expected, got } })
        }
        (_, None) => Err(scanner.unexpected(expected).into()),
    }
}

/// Passes over the bracket or brace that opens a container.
fn open(scanner: &mut Scanner<'_>, what: &'static str, first: u8, expected: &'static str) -> Result<(), DocumentError> {
    check_type(scanner, what, first, expected)?;
    scanner.step(1);
    Ok(())
}

fn once(seen: &mut bool, offset: usize, field: &'static str) -> Result<(), DocumentError> {
    if std::mem::replace(seen, true) {
        return Err(DocumentError { offset, problem: Problem::Duplicate { field } });
    }
    Ok(())
}

#[cold]
fn refuse(body: &[u8], intake: &mut Intake, item: u32, refusal: Refusal) {
    intake.verdicts.refuse(item, refusal.code(), || refusal.message(body));
}

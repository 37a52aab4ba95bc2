//! Items one a line: each line is read by itself, so that one that is broken costs no other.

use uuid::Uuid;

use super::item::{Item, ItemReader};
use super::refusal::Refusal;
use crate::model::{Code, Intake};
use crate::wire::json::{Fault, Kind, Scanner};
use crate::wire::lines::Naming;

/// Decodes whole lines into `intake`, which the caller has cleared; the position of an item is that of its line. Blank
/// lines are no items.
///
/// A line that is not UTF-8 is refused and blanked in `body`, so that the rest can be read as text.
pub fn decode_lines(body: &mut [u8], intake: &mut Intake, naming: Naming<'_>) {
    blank_what_is_no_text(body, intake);
    let body: &[u8] = body;
    let Ok(mut scanner) = Scanner::new(body) else { return };
    let mut reader = LineReader { items: ItemReader::of_lines(), named: (Uuid::nil(), b"", Uuid::nil()), naming };
    let mut start = 0;
    while start < body.len() {
        let end = memchr::memchr(b'\n', &body[start..]).map_or(body.len(), |length| start + length);
        if !body[start..end].trim_ascii().is_empty() {
            scanner.go_to(start);
            reader.line(&mut scanner, end, intake);
        }
        intake.items += 1;
        start = end + 1;
    }
}

struct LineReader<'a, 'n> {
    items: ItemReader<'a>,
    /// The last server and host name, and what they came to.
    named: (Uuid, &'a [u8], Uuid),
    naming: Naming<'n>,
}

impl<'a> LineReader<'a, '_> {
    /// Reads the item that begins where the scanner is, on a line that ends at `end`.
    #[inline(always)]
    fn line(&mut self, scanner: &mut Scanner<'a>, end: usize, intake: &mut Intake) {
        let (start, body) = (scanner.at(), scanner.body());
        let item = match self.read(scanner) {
            Ok(item) => item,
            Err(fault) => return malformed(intake, fault.offset.clamp(start, end) - start, &fault.syntax),
        };
        let rest = body.get(scanner.at()..end);
        if item.refusal.is_none_or(|refusal| !matches!(refusal, Refusal::NotAnObject { .. }))
            && rest.is_none_or(|rest| !rest.trim_ascii().is_empty())
        {
            return malformed(intake, scanner.at().min(end) - start, &"the item does not end with its line");
        }
        let server = self.server(body, &item);
        let refusal = item.refusal.or_else(|| server.is_nil().then_some(Refusal::NoServer));
        if let Some(refusal) = refusal {
            return intake.verdicts.refuse(intake.items, refusal.code(), || refusal.message(body));
        }
        let server = intake.server_index(server);
        intake.points.push(intake.items, server, item.identity, item.time, item.value);
    }

    #[inline(always)]
    fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<Item, Fault> {
        let first = scanner.token();
        if first == b'{' {
            return self.items.read(scanner);
        }
        let got = Kind::of(first).ok_or_else(|| scanner.unexpected("an object"))?;
        let mut item = Item::default();
        item.refusal = Some(Refusal::NotAnObject { got });
        Ok(item)
    }

    #[inline(always)]
    fn server(&mut self, body: &'a [u8], item: &Item) -> Uuid {
        let hostname = item.hostname.of(body);
        if hostname.is_empty() {
            return item.server;
        }
        if (item.server, hostname) != (self.named.0, self.named.1) {
            self.named = (item.server, hostname, (self.naming)(item.server, hostname));
        }
        self.named.2
    }
}

#[cold]
fn malformed(intake: &mut Intake, offset: usize, why: &dyn std::fmt::Display) {
    intake.verdicts.refuse(intake.items, Code::MalformedLine, || format!("{why} at byte {offset} of the line"));
}

fn blank_what_is_no_text(body: &mut [u8], intake: &mut Intake) {
    let (mut checked, mut lines) = (0, 0);
    while let Err(invalid) = std::str::from_utf8(&body[checked..]) {
        let at = checked + invalid.valid_up_to();
        let start = memchr::memrchr(b'\n', &body[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |length| at + length);
        lines += memchr::memchr_iter(b'\n', &body[checked..at]).count() as u32;
        let offset = at - start;
        intake.verdicts.refuse(lines, Code::MalformedLine, || format!("not UTF-8 at byte {offset} of the line"));
        body[start..end].fill(b' ');
        checked = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Micros, Verdict};

    const LINE: &str = r#"{"server_id":"7f0c6f0e-4d3c-4c55-9a52-0c5d2f4a9b11","metric_type":"cpu","metric_name":"usage","labels":{"core":"0"},"timestamp":"2025-11-20T10:00:00Z","value":1.5}"#;

    fn decode(text: &[u8]) -> Intake {
        let (mut body, mut intake) = (text.to_vec(), Intake::default());
        decode_lines(&mut body, &mut intake, &mut |server, _| server);
        intake
    }

    fn refused(intake: &Intake) -> Vec<(u32, Code)> {
        intake.verdicts.listed().iter().map(|Verdict { index, code, .. }| (*index, *code)).collect()
    }

    #[test]
    fn a_broken_line_is_refused_by_its_number_and_costs_no_other() {
        for broken in
            ["{", "}", "[]", "{}}", "{\"value\":", "{\"a\":[1,", "\"", "1", "{} {}", "nul", "{\"a\":1,", "\u{0}", "x"]
        {
            let intake = decode(format!("{LINE}\n{broken}\n{LINE}\n").as_bytes());
            assert_eq!(intake.points.items, [0, 2], "{broken}");
            assert_eq!(intake.verdicts.total(), 1, "{broken}");
            assert_eq!(intake.verdicts.listed()[0].index, 1, "{broken}");
        }
    }

    #[test]
    fn lines_that_are_not_text_are_refused_by_their_numbers() {
        let mut text = format!("{LINE}\n\n").into_bytes();
        text.extend_from_slice(b"\xff\xfe\n");
        text.extend_from_slice(LINE.as_bytes());
        text.extend_from_slice(b"\n{\"a\":\"\xc3\"}\n");
        let intake = decode(&text);
        assert_eq!(intake.points.items, [0, 3]);
        assert_eq!(refused(&intake), [(2, Code::MalformedLine), (4, Code::MalformedLine)]);
    }

    #[test]
    fn floats_that_are_no_numbers_have_a_spelling() {
        for (spelt, bits) in [
            ("\"NaN\"", 0x7ff8_0000_0000_0000),
            ("\"+Inf\"", f64::INFINITY.to_bits()),
            ("\"-Inf\"", f64::NEG_INFINITY.to_bits()),
            ("\"0x7ff0000000000002\"", 0x7ff0_0000_0000_0002),
            ("-0", (-0.0_f64).to_bits()),
        ] {
            let intake = decode(LINE.replace("1.5", spelt).as_bytes());
            assert_eq!(intake.points.values[0].to_bits(), bits, "{spelt}");
            assert_eq!(intake.points.times, [Micros::parse_rfc3339(b"2025-11-20T10:00:00Z").unwrap()]);
        }
        assert_eq!(refused(&decode(LINE.replace("1.5", "\"1.5\"").as_bytes())), [(0, Code::InvalidType)]);
    }

    #[test]
    fn a_line_without_a_server_is_refused_unless_its_host_has_one() {
        let line = LINE.replace("\"server_id\":\"7f0c6f0e-4d3c-4c55-9a52-0c5d2f4a9b11\"", "\"hostname\":\"a\"");
        assert_eq!(refused(&decode(line.as_bytes())), [(0, Code::MissingField)]);
        let mut intake = Intake::default();
        let known = Uuid::from_u128(7);
        decode_lines(&mut line.into_bytes(), &mut intake, &mut |_, host| {
            if host == b"a" { known } else { Uuid::nil() }
        });
        assert_eq!(intake.servers(), [known]);
    }
}

//! The grammar: exactly what `serde_json` accepts, at the same depth; numbers bit for bit what the standard library reads.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::text::unescape;
use super::write::{write_json_number, write_json_string};
use super::*;

/// Whether `body` is one JSON value.
fn accepts(body: &[u8]) -> Result<(), Fault> {
    let mut scanner = Scanner::new(body)?;
    scanner.skip_value(0)?;
    if scanner.token() == 0 && scanner.at() == body.len() { Ok(()) } else { Err(scanner.unexpected("the end")) }
}

fn they_accept(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Reads `text` as it stands `lead` bytes into a document and with `tail` behind it.
fn number_at(lead: usize, text: &str, tail: &str) -> Result<f64, Fault> {
    let body = format!("{}{text}{tail}", " ".repeat(lead));
    let mut scanner = Scanner::new(body.as_bytes())?;
    scanner.token();
    let value = scanner.number()?;
    assert_eq!(scanner.at(), lead + text.len(), "{text}");
    Ok(value)
}

fn string_of(body: &str) -> Result<String, Fault> {
    let mut scanner = Scanner::new(body.as_bytes())?;
    let text = scanner.string()?;
    let decoded = text.decoded(body.as_bytes()).expect("no lone surrogates in these tests");
    Ok(String::from_utf8(decoded.into_owned()).unwrap())
}

#[test]
fn a_fault_has_the_offset_of_the_byte_it_shows_at() {
    let check =
        |body: &str, offset, syntax| assert_eq!(accepts(body.as_bytes()), Err(Fault { offset, syntax }), "{body}");
    check("", 0, Syntax::Truncated);
    check("  ", 2, Syntax::Truncated);
    check("[1,2", 4, Syntax::Truncated);
    check("\"abc", 4, Syntax::Truncated);
    check("\"abcdefghijk\\", 13, Syntax::Truncated);
    check("\"\\u12", 5, Syntax::Truncated);
    check("nul", 3, Syntax::Truncated);
    check("nulL", 3, Syntax::Expected("null"));
    check("[1,]", 3, Syntax::Expected("a value"));
    check("{\"a\":1,}", 7, Syntax::Expected("a quoted name"));
    check("{\"a\" 1}", 5, Syntax::Expected("a colon"));
    check("[1 2]", 3, Syntax::Expected("a comma or a closing bracket"));
    check("[1}", 2, Syntax::Expected("a comma or a closing bracket"));
    check("{\"a\":1]", 6, Syntax::Expected("a comma or a closing brace"));
    check("\"a\tb\"", 2, Syntax::ControlCharacter);
    check("\"abcdefghijk\nlmnopqrs\"", 12, Syntax::ControlCharacter);
    check("\"\\x\"", 2, Syntax::InvalidEscape);
    check("\"\\u12g4\"", 5, Syntax::InvalidEscape);
    check("01", 1, Syntax::Expected("the end"));
    check("1.", 2, Syntax::Truncated);
    check("[1.]", 3, Syntax::Expected("a digit"));
    check("[-]", 2, Syntax::Expected("a digit"));
    check("[1e+]", 4, Syntax::Expected("a digit"));
    check("+1", 0, Syntax::Expected("a value"));
    check("NaN", 0, Syntax::Expected("a value"));
    check("1 \0", 2, Syntax::Expected("the end"));
    assert_eq!(accepts(b"\"ab\xff\""), Err(Fault { offset: 3, syntax: Syntax::NotUtf8 }));
}

#[test]
fn containers_nest_to_the_limit_and_no_deeper() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(accepts(nested(64).as_bytes()), Ok(()));
    assert_eq!(accepts(nested(65).as_bytes()), Err(Fault { offset: 64, syntax: Syntax::TooDeep }));
    let mixed = format!("{}1{}", "{\"a\":[".repeat(32), "]}".repeat(32));
    assert_eq!(accepts(mixed.as_bytes()), Ok(()));
    let mut scanner = Scanner::new(b"[[]]").unwrap();
    assert_eq!(scanner.skip_value(63), Err(Fault { offset: 1, syntax: Syntax::TooDeep }));
}

#[test]
fn escapes_mean_what_they_mean() {
    assert_eq!(string_of(r#""plain""#).unwrap(), "plain");
    assert_eq!(string_of(r#""\"\\\/\b\f\n\r\t""#).unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
    assert_eq!(string_of(r#""\u0041\u00e9\u20AC\ud83d\uDE00!""#).unwrap(), "Aé€😀!");
    for lone in [r"\ud83d", r"\ud83dx", r"\ud83d\n", r"\ude00", r"\ud83d\u0041", r"\ud83d\ud83d"] {
        assert_eq!(unescape(lone.as_bytes()), Err(text::LoneSurrogate), "{lone}");
    }
}

#[test]
fn notable_numbers_are_read_as_the_standard_library_reads_them() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "0e5",
        "1",
        "10",
        "9007199254740992",
        "9007199254740993",
        "-9007199254740995",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890",
        "5e-324",
        "2e-324",
        "4.9e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "0.1",
        "0.3",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "3.0e-5",
        "0.000000000000000000000000000001",
        "8.5e+3",
        "1E5",
        "47.94255386042031",
        "12345678.12345678",
        "0e999999999999",
        "1e-99999999999999999999",
        "100000000000000000000000000000e-29",
        "7205759403792793199999e-5",
    ] {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(number_at(0, text, "").unwrap().to_bits(), expected.to_bits(), "{text}");
    }
    assert_eq!(number_at(0, "1e400", ",").unwrap(), f64::INFINITY);
    assert_eq!(number_at(0, "-1e99999999999999999999", ",").unwrap(), f64::NEG_INFINITY);
}

#[test]
fn numbers_are_written_in_their_shortest_form() {
    let check = |value: f64, expected: &str| {
        let mut out = Vec::new();
        write_json_number(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    };
    check(45.2, "45.2");
    check(100.0, "100");
    check(0.0, "0");
    check(-0.0, "-0");
    check(1e300, "1e+300");
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        check(value, "null");
    }
}

/// Finite floats of every magnitude, most of them with all the digits there can be.
fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite()),
        (-1_000_000_000i64..1_000_000_000, 0..9).prop_map(|(whole, places)| whole as f64 / 10f64.powi(places)),
        any::<i64>().prop_map(|whole| whole as f64),
    ]
}

proptest! {
    #[test]
    fn every_float_is_read_exactly_at_every_offset(value in floats(), zeros in 0..30usize, digits in 0..40usize) {
        let spellings = [
            zmij::Buffer::new().format_finite(value).to_owned(),
            format!("{value}"),
            format!("{value:e}"),
            format!("{value:E}"),
            format!("{value:.17e}"),
            format!("{value:.0$}", digits),
            format!("{value:.1$}{}", "0".repeat(zeros), digits.max(1)),
            format!("{value:.6}e-{zeros}"),
        ];
        for text in spellings {
            let expected: f64 = text.parse().unwrap();
            for lead in 0..=64 {
                let read = number_at(lead, &text, if lead % 2 == 0 { "" } else { ",\"x\":1}" }).unwrap();
                prop_assert_eq!(read.to_bits(), expected.to_bits(), "{} at {}", text, lead);
            }
        }
    }

    #[test]
    fn any_run_of_digits_is_read_exactly(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?") {
        let expected: f64 = text.parse().unwrap();
        prop_assert_eq!(number_at(3, &text, "]").unwrap().to_bits(), expected.to_bits());
    }

    #[test]
    fn what_is_written_is_read_back(text in any::<String>(), value in floats()) {
        let mut out = Vec::new();
        write_json_string(&mut out, &text);
        prop_assert_eq!(string_of(std::str::from_utf8(&out).unwrap()).unwrap(), &*text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        out.clear();
        write_json_number(&mut out, value);
        let read = number_at(0, std::str::from_utf8(&out).unwrap(), "").unwrap();
        prop_assert_eq!(read.to_bits(), value.to_bits());
    }

    #[test]
    fn json_like_bytes_are_accepted_exactly_when_serde_json_accepts_them(
        parts in proptest::collection::vec(prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\""), Just("\\"), Just("\\u00"),
            Just("a"), Just("\"k\":"), Just("\"text\""), Just("\"\\ud800\""), Just("true"), Just("null"), Just("1"),
            Just("0"), Just("-"), Just("."), Just("e"), Just("2.5e3"), Just(" "), Just("\n"), Just("\t"), Just("\u{1}"),
            Just("é"), Just("\"a longer text é\""), Just("NaN"), Just("[]"), Just("{}"),
        ], 0..14),
    ) {
        let body = parts.concat();
        prop_assert_eq!(accepts(body.as_bytes()).is_ok(), they_accept(body.as_bytes()), "{}", body);
    }

    #[test]
    fn random_bytes_are_accepted_exactly_when_serde_json_accepts_them(
        body in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        prop_assert_eq!(accepts(&body).is_ok(), they_accept(&body));
        let _any_answer = unescape(&body);
    }
}

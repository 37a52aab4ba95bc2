//! The format, by example.

use crate::model::{Code, Intake, Micros};
use crate::wire::influx::{KEY_BYTES_MAX, LINE_BYTES_MAX, Naming, Options, Precision, ShownLines, Strings, decode};

pub(super) const NOW: Micros = Micros(1_700_000_000_000_000);
const OPTIONS: Options = Options { precision: Precision::Nanosecond, now: NOW, strings: Strings::Count };

fn decoded(body: &[u8], options: &Options) -> Intake {
    let mut intake = Intake::default();
    decode(body, options, &mut intake);
    intake
}

/// The samples of a body as `line host type/name{labels} value@micros`.
fn samples(body: &str) -> Vec<String> {
    let intake = decoded(body.as_bytes(), &OPTIONS);
    let (points, naming) = (&intake.points, Naming::default());
    let sample = |place: usize| {
        let raw = points.identities[place];
        let (line, value, time) = (points.items[place] + 1, points.values[place], points.times[place].0);
        let (Ok(host), Ok(identity)) = (naming.host(body.as_bytes(), raw), naming.identity(body.as_bytes(), raw))
        else {
            return format!("{line} cannot be named");
        };
        let labels: Vec<String> = identity.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (kind, name, labels) = (identity.metric_type(), identity.metric_name(), labels.join(";"));
        format!("{line} {host} {kind}/{name}{{{labels}}} {value}@{time}")
    };
    (0..points.len()).map(sample).collect()
}

fn refusals(body: &str) -> Vec<(u32, Code, String)> {
    let intake = decoded(body.as_bytes(), &OPTIONS);
    let listed = intake.verdicts.listed().iter();
    listed.map(|verdict| (verdict.index + 1, verdict.code, verdict.message.clone())).collect()
}

#[test]
fn a_field_is_a_sample_named_by_measurement_field_and_tags() {
    let body = "cpu,host=web-1,core=0 user=1.5,system=2i 1700000000123456789\n";
    let expected = ["1 web-1 cpu/user{core=0} 1.5@1700000000123456", "1 web-1 cpu/system{core=0} 2@1700000000123456"];
    assert_eq!(samples(body), expected);
}

#[test]
fn a_backslash_takes_the_meaning_of_the_mark_behind_it() {
    let body = r"my\ cpu\,x,ta\=g=a\ b\,c\=d,host=h\ 1 fi\ eld\=\,=1 1000";
    assert_eq!(samples(body), ["1 h 1 my cpu,x/fi eld=,{ta=g=a b,c=d} 1@1"]);
    let kept = r"c\pu,path=C:\dir,host=h f\x=1 1000";
    assert_eq!(samples(kept), [r"1 h c\pu/f\x{path=C:\dir} 1@1"]);
}

#[test]
fn every_kind_of_number_and_boolean_is_a_value() {
    let check = |text: &str, expected: f64| {
        let intake = decoded(format!("m v={text}").as_bytes(), &OPTIONS);
        assert_eq!(
            intake.points.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
            [expected.to_bits()],
            "{text}"
        );
    };
    for (text, expected) in [
        ("1", 1.0),
        ("-0", -0.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("+3.25", 3.25),
        ("1e3", 1e3),
        ("1.5E-7", 1.5e-7),
        ("0.1234567890123456789", 0.123_456_789_012_345_68),
        ("00012", 12.0),
        ("123456789012", 123_456_789_012.0),
        ("7i", 7.0),
        ("-7i", -7.0),
        ("7u", 7.0),
        ("9007199254740992i", 9_007_199_254_740_992.0),
        ("-0i", 0.0),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
    ] {
        check(text, expected);
    }
    for text in ["t", "T", "true", "True", "TRUE"] {
        check(text, 1.0);
    }
    for text in ["f", "F", "false", "False", "FALSE"] {
        check(text, 0.0);
    }
}

#[test]
fn a_value_no_sample_can_hold_costs_its_field_only() {
    let body = "m a=1,b=9007199254740993i,c=NaN,d=-Inf,e=1e400,f=-1u,g=18446744073709551616u,h=2\n";
    assert_eq!(samples(body).len(), 2);
    let refused = refusals(body);
    let codes: Vec<Code> = refused.iter().map(|(_, code, _)| *code).collect();
    use Code::{NotFinite, NumberOutOfRange};
    let expected = [NumberOutOfRange, NotFinite, NotFinite, NumberOutOfRange, NumberOutOfRange, NumberOutOfRange];
    assert_eq!(codes, expected);
    assert_eq!(
        refused[0].2,
        "integer '9007199254740993i' is beyond 2^53, a 64-bit float would make another number of it"
    );
}

#[test]
fn a_bad_line_is_told_by_its_number_and_costs_no_neighbour() {
    let bad = [
        (",host=a v=1", Code::MissingField, "missing measurement"),
        ("m,host=a", Code::MissingField, "missing fields"),
        ("m ", Code::MissingField, "missing fields"),
        ("m\\", Code::MissingField, "missing fields"),
        ("m =1", Code::MissingField, "missing field key"),
        ("m v=", Code::MissingField, "missing field value"),
        ("m v", Code::MissingField, "missing field value of 'v'"),
        ("m v=1,", Code::MissingField, "missing fields"),
        ("m v=1x", Code::InvalidType, "invalid number, boolean or string '1x'"),
        ("m v=tru", Code::InvalidType, "invalid number, boolean or string 'tru'"),
        ("m v=1.5i", Code::InvalidType, "invalid number, boolean or string '1.5i'"),
        ("m v=1 x", Code::InvalidTimestamp, "bad timestamp 'x'"),
        ("m v=1 12 13", Code::InvalidTimestamp, "bad timestamp '12 13'"),
        ("m v=1 99999999999999999999", Code::InvalidTimestamp, "bad timestamp '99999999999999999999'"),
        ("m a=\"x\"y,v=1", Code::InvalidType, "invalid number, boolean or string '\"x\"y'"),
        ("m a=\"text\nof two lines\",v=1x", Code::InvalidType, "invalid number, boolean or string '1x'"),
    ];
    for (line, code, message) in bad {
        let breaks = line.matches('\n').count() as u32;
        let body = format!("# first\n\nm v=1\r\n{line}\nm v=2\n");
        assert_eq!(refusals(&body), [(4, code, message.to_owned())], "{line}");
        let kept: Vec<String> = samples(&body).iter().map(|sample| sample[..1].to_owned()).collect();
        assert_eq!(kept, ["3".to_owned(), (5 + breaks).to_string()], "{line}");
    }
}

#[test]
fn a_text_is_left_out_and_told_or_refused_as_the_settings_say() {
    let body = b"m a=\"x\",v=1\nm b=\"two\nlines, \\\"quoted\\\" \\\\\",c=\"\"\nm v=2\n";
    let counted = decoded(body, &OPTIONS);
    assert_eq!((counted.points.items.as_slice(), counted.verdicts.total()), ([0, 3].as_slice(), 0));
    assert_eq!((counted.left_out.values, counted.left_out.listed()), (3, [0, 1].as_slice()));
    let refused = decoded(body, &Options { strings: Strings::Refuse, ..OPTIONS });
    assert_eq!((refused.points.len(), refused.verdicts.total(), refused.left_out.values), (2, 3, 0));
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line() {
    let body = "m a=\"open\nm v=1\nm v=2\n";
    assert_eq!(samples(body).len(), 2);
    assert_eq!(refusals(body)[0].2, "unbalanced quotes at '\"open'");
}

#[test]
fn blank_lines_comments_and_both_line_ends_are_no_points() {
    let intake = decoded(b"\n  \n\r\n# a comment v=1\nm v=1\r\n \t m v=2 \r\n#", &OPTIONS);
    assert_eq!((intake.items, intake.points.items.as_slice()), (2, [4, 5].as_slice()));
    assert_eq!(intake.verdicts.total(), 0);
}

#[test]
fn a_timestamp_counts_in_the_unit_of_the_request() {
    let check = |precision: &str, text: &str, micros: i64| {
        let precision = Precision::parse(precision).unwrap();
        let intake = decoded(format!("m v=1 {text}").as_bytes(), &Options { precision, ..OPTIONS });
        assert_eq!(intake.points.times, [Micros(micros)], "{text} in {precision:?}");
    };
    check("ns", "1700000000123456999", 1_700_000_000_123_456);
    check("n", "-1", -1);
    check("us", "1700000000123456", 1_700_000_000_123_456);
    check("µ", "5", 5);
    check("ms", "1700000000123", 1_700_000_000_123_000);
    check("s", "1700000000", 1_700_000_000_000_000);
    check("m", "28333333", 1_699_999_980_000_000);
    check("h", "472222", 1_699_999_200_000_000);
    for text in ["1700000000", "1700000000000", "1700000000000000", "1700000000000000000"] {
        check("auto", text, 1_700_000_000_000_000);
    }
    check("s", "", NOW.0);
    assert_eq!(Precision::parse("fortnight"), None);
    let refused = decoded(b"m v=1 9000000000000000000", &Options { precision: Precision::Hour, ..OPTIONS });
    assert_eq!((refused.points.len(), refused.verdicts.total()), (0, 1));
}

#[test]
fn the_server_is_the_first_host_tag_in_the_order_of_the_settings() {
    let body = "m,hostname=b,host=a v=1 1000\nm,hostname=b v=1 1000\nm,dc=x v=1 1000\nm v=1 1000";
    let expected = ["1 a m/v{hostname=b} 1@1", "2 b m/v{} 1@1", "3 influx m/v{dc=x} 1@1", "4 influx m/v{} 1@1"];
    assert_eq!(samples(body), expected);
}

#[test]
fn tags_that_name_nothing_are_refused_when_they_are_read() {
    let naming = Naming::default();
    let check = |tags: &str, code: Code, message: &str| {
        let body = format!("m,{tags} v=1");
        let raw = decoded(body.as_bytes(), &OPTIONS).points.identities[0];
        let refused = naming.host(body.as_bytes(), raw).unwrap_err();
        assert_eq!((refused.0, refused.1.as_str()), (code, message), "{tags}");
    };
    check("", Code::InvalidLabels, "missing tag key");
    check("a", Code::InvalidLabels, "missing tag value");
    check("a=", Code::InvalidLabels, "missing tag value");
    check("=a", Code::InvalidLabels, "missing tag key");
    check("a=1,", Code::InvalidLabels, "missing tag key");
    check("a=1=2", Code::InvalidLabels, "invalid tag format");
    check("a=1,a=2", Code::InvalidLabels, "label \"a\" appears twice");
    let many: Vec<String> = (0..2_000).map(|tag| format!("{tag}=1")).collect();
    check(&many.join(","), Code::InvalidLabels, "2000 labels, at most 64 are allowed");
    check(
        &format!("host={}", "h".repeat(256)),
        Code::InvalidText,
        "host name is 256 bytes long, at most 255 without a NUL",
    );
}

#[test]
fn what_is_too_long_is_refused_whole_however_it_is_filled() {
    let check = |line: String, message: &str| {
        let body = format!("{line}\nm v=1\n");
        assert_eq!((samples(&body).len(), refusals(&body).len()), (1, 1));
        assert!(refusals(&body)[0].2.contains(message), "{}", refusals(&body)[0].2);
    };
    let tags: Vec<String> = (0..100_000).map(|tag| format!("{tag}=1")).collect();
    let key = format!("at most {KEY_BYTES_MAX} are allowed");
    check(format!("m,{} v=1", tags.join(",")), &key);
    check(format!("m,host={} v=1", "\\ ".repeat(500_000)), &key);
    check("\\".repeat(1_000_000), "missing fields");
    let line = format!("at most {LINE_BYTES_MAX} are allowed");
    check(format!("m {}v=1", "v=1,".repeat(250_000)), &line);
    check(format!("m v=\"{}\"", "\\\"".repeat(500_000)), &line);
}

#[test]
fn a_line_is_shown_by_its_beginning_in_whatever_order_lines_are_asked_for() {
    let mut lines = ShownLines::of(b"one\ntwo\r\nthree");
    let shown = [0, 1, 1, 2, 0, 7, 1].map(|line| lines.show(line));
    assert_eq!(shown, ["one", "two", "two", "three", "one", "", "two"]);
    assert_eq!(ShownLines::of(&[b'x'; 500]).show(0).len(), 163);
}

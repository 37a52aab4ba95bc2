//! The decoders against messages that another implementation made of the same values.

use millrace::model::{Intake, Micros};
use millrace::wire::prometheus::{Exposition, Fault, Grouping, Naming, Room, TextTimes, decode_write1, decode_write2};
use proptest::prelude::*;
use prost::Message;

use crate::harness::remote_write::{TimeSeries, WriteRequest, series};

const ROOM: Room = Room { points: 10_000, text_bytes: 1 << 20 };

/// Host, name, labels, milliseconds, bits of the value.
type Sample = (String, String, Vec<(String, String)>, i64, u64);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    One,
    Two,
}

fn decode(version: Version, message: &[u8], room: Room) -> Result<(Vec<u8>, Intake), Fault> {
    let (mut body, mut text, mut intake) = (message.to_vec(), Vec::new(), Intake::default());
    match version {
        Version::One => decode_write1(&mut body, &mut text, room, &mut intake)?,
        Version::Two => decode_write2(&mut body, &mut text, room, &mut intake)?,
    }
    Ok((body, intake))
}

fn samples(text: &[u8], intake: &Intake) -> Vec<Sample> {
    let (points, naming) = (&intake.points, Naming::default());
    let sample = |place: usize| {
        let raw = points.identities[place];
        let identity = naming.identity(text, raw).unwrap();
        let labels = identity.labels().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let name = identity.metric_name().to_owned();
        let millis = points.times[place].0 / 1_000;
        (naming.host(text, raw).unwrap(), name, labels, millis, points.values[place].to_bits())
    };
    (0..points.len()).map(sample).collect()
}

fn expected(request: &WriteRequest) -> Vec<Sample> {
    let of_series = |series: &TimeSeries| {
        let value = |wanted: &str| {
            let found = series.labels.iter().find(|label| label.name == wanted);
            found.map(|label| label.value.clone()).unwrap_or_default()
        };
        let (name, instance) = (value("__name__"), value("instance"));
        let host = if instance.is_empty() { "prometheus".to_owned() } else { instance };
        let kept = series.labels.iter().filter(|label| label.name != "__name__" && !label.value.is_empty());
        let labels: Vec<(String, String)> = kept.map(|label| (label.name.clone(), label.value.clone())).collect();
        let samples = series.samples.iter();
        let sample = move |sample: &crate::harness::remote_write::Sample| {
            (host.clone(), name.clone(), labels.clone(), sample.timestamp, sample.value.to_bits())
        };
        samples.map(sample).collect::<Vec<_>>()
    };
    request.timeseries.iter().flat_map(of_series).collect()
}

/// Written as some exporters do: the labels backwards, blanks where there may be some.
fn line(series: &TimeSeries, sample: crate::harness::remote_write::Sample) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let named = |label: &&crate::harness::remote_write::Label| label.name == "__name__";
    let name = series.labels.iter().find(named).unwrap();
    let others = series.labels.iter().rev().filter(|label| !named(label));
    let labels: Vec<String> = others.map(|label| format!("{} = \"{}\"", label.name, escaped(&label.value))).collect();
    format!("{}{{{}}}\t{:?}  {}\r\n", name.value, labels.join(" , "), sample.value, sample.timestamp)
}

fn any_series() -> impl Strategy<Value = TimeSeries> {
    let labels =
        prop::collection::btree_map("[a-z][a-z0-9_]{0,8}|instance", "[a-zA-Z0-9 äß/\\\\\"\n]{0,12}|[a-z]{200}", 0..6);
    let value =
        prop_oneof![any::<u64>().prop_map(f64::from_bits), Just(0.0), Just(f64::from_bits(0x7ff0_0000_0000_0002))];
    let time = prop_oneof![0..4_102_444_800_000_i64, Just(0), -1_000_000..0_i64];
    let samples = prop::collection::vec((value, time), 0..4);
    ("[a-zA-Z_:][a-z_]{0,12}", labels, samples).prop_map(|(name, labels, samples)| {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        series(&name, &labels, &samples)
    })
}

proptest! {
    #[test]
    fn every_sample_of_either_version_is_what_the_other_implementation_encoded(
        timeseries in prop::collection::vec(any_series(), 0..8),
    ) {
        let request = WriteRequest { timeseries, ..WriteRequest::default() };
        let wanted = expected(&request);
        let (text, one) = decode(Version::One, &request.encode_to_vec(), ROOM).unwrap();
        prop_assert_eq!(samples(&text, &one), &wanted[..]);
        let (text_2, two) = decode(Version::Two, &request.to_version_2().encode_to_vec(), ROOM).unwrap();
        prop_assert_eq!(samples(&text_2, &two), &wanted[..]);
        prop_assert_eq!((one.items, one.verdicts.total()), (request.timeseries.len() as u32, 0));
        for (left, right) in one.points.identities.iter().zip(&two.points.identities) {
            prop_assert_eq!(left.labels.of(&text), right.labels.of(&text_2), "one spelling, whatever the version");
        }
    }

    #[test]
    fn every_line_of_text_is_what_was_spelt(timeseries in prop::collection::vec(any_series(), 0..8)) {
        let request = WriteRequest { timeseries, ..WriteRequest::default() };
        let mut lines = "# HELP x What it is\n\n".to_owned();
        for series in &request.timeseries {
            series.samples.iter().for_each(|sample| lines.push_str(&line(series, *sample)));
        }
        let (mut body, mut text, mut intake) = (lines.clone().into_bytes(), Vec::new(), Intake::default());
        let grouping = Grouping::default();
        let exposition = Exposition { times: TextTimes::Millis, now: Micros(1), grouping: &grouping };
        prop_assert_eq!(exposition.decode(&mut body, &mut text, ROOM, &mut intake), Ok(()));
        // All that is no number is one when it is text.
        let plain = |(host, name, labels, time, bits): Sample| {
            let value = f64::from_bits(bits);
            (host, name, labels, time, if value.is_nan() { f64::NAN.to_bits() } else { bits })
        };
        let wanted: Vec<Sample> = expected(&request).into_iter().map(plain).collect();
        prop_assert_eq!(samples(&body, &intake), wanted, "{}", lines);
        prop_assert_eq!(intake.verdicts.total(), 0);
    }

    #[test]
    fn a_message_that_is_cut_or_changed_anywhere_is_read_or_refused(
        timeseries in prop::collection::vec(any_series(), 1..4), cut in 0.0..1.0_f64, byte: u8, changed in 0.0..1.0_f64,
    ) {
        let request = WriteRequest { timeseries, ..WriteRequest::default() };
        let messages = [request.encode_to_vec(), request.to_version_2().encode_to_vec()];
        for (version, mut message) in [Version::One, Version::Two].into_iter().zip(messages) {
            let place = (changed * message.len() as f64) as usize;
            message[place] = byte;
            message.truncate((cut * 2.0 * message.len() as f64) as usize);
            if let Ok((text, intake)) = decode(version, &message, ROOM) {
                let points = &intake.points;
                for lengths in [points.items.len(), points.servers.len(), points.times.len(), points.identities.len()] {
                    prop_assert_eq!(lengths, points.values.len());
                }
                for raw in &points.identities {
                    let naming = Naming::default();
                    prop_assert_eq!(naming.host(&text, *raw).is_ok(), naming.identity(&text, *raw).is_ok());
                }
            }
        }
    }

    #[test]
    fn no_more_is_decoded_than_there_is_room_for(
        timeseries in prop::collection::vec(any_series(), 0..8), points in 0_usize..20,
    ) {
        let request = WriteRequest { timeseries, ..WriteRequest::default() };
        let count = request.timeseries.iter().map(|series| series.samples.len()).sum::<usize>();
        let decoded = decode(Version::One, &request.encode_to_vec(), Room { points, ..ROOM });
        prop_assert_eq!(decoded.is_ok(), count <= points);
    }
}

#[test]
fn labels_with_samples_between_them_and_references_one_by_one_are_read_all_the_same() {
    let series = series("up", &[("job", "a")], &[(1.5, 7)]);
    let [name, job] = [0, 1].map(|place| {
        let label = series.labels[place].encode_to_vec();
        [vec![0x0a, label.len() as u8], label].concat()
    });
    let sample = series.samples[0].encode_to_vec();
    let sample = [vec![0x12, sample.len() as u8], sample].concat();
    let message = [name, sample.clone(), job].concat();
    let message = [vec![0x0a, message.len() as u8], message].concat();
    let wanted = expected(&WriteRequest { timeseries: vec![series], ..WriteRequest::default() });
    let (text, intake) = decode(Version::One, &message, ROOM).unwrap();
    assert_eq!(samples(&text, &intake), wanted);

    // The table of symbols behind its use; two references in a run, two one by one.
    let series = [&[0x0a, 2, 1, 2, 0x08, 3][..], &sample, &[0x08, 4]].concat();
    let mut message = [vec![0x2a, series.len() as u8], series].concat();
    for symbol in ["", "__name__", "up", "job", "a"] {
        message.extend([0x22, symbol.len() as u8]);
        message.extend(symbol.as_bytes());
    }
    let (text, intake) = decode(Version::Two, &message, ROOM).unwrap();
    assert_eq!(samples(&text, &intake), wanted);
}

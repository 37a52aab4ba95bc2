//! What an interval comes to, by example, at its bounds, and against a naive model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::series::{SET_MEMBERS_MAX, TIMER_VALUES_MAX};
use super::*;
use crate::model::{Intake, Micros};
use crate::wire::composed::{host, identity};

const NOW: Micros = Micros(7);

fn flushed(aggregate: &mut Aggregate) -> Vec<String> {
    let (mut text, mut intake) = (Vec::new(), Intake::default());
    aggregate.flush(NOW, &mut text, &mut intake);
    let points = &intake.points;
    assert!(points.times.iter().all(|time| *time == NOW));
    let sample = |place: usize| {
        let raw = points.identities[place];
        let (host, found) = (host(&text, raw).unwrap(), identity(&text, raw).unwrap());
        let labels: Vec<String> = found.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (kind, name) = (found.metric_type(), found.metric_name());
        format!("{host} {kind} {name}{{{}}} {:?}", labels.join(","), points.values[place])
    };
    let mut samples: Vec<String> = (0..points.len()).map(sample).collect();
    samples.sort();
    samples
}

fn refusals(aggregate: &mut Aggregate, lines: &str) -> Vec<String> {
    let mut intake = Intake::default();
    aggregate.add(lines.as_bytes(), &mut intake);
    intake.verdicts.listed().iter().map(|one| format!("{} {}", one.index, one.message)).collect()
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let mut aggregate = Aggregate::new("d".to_owned());
    assert_eq!(refusals(&mut aggregate, lines), [""; 0]);
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(flushed(&mut aggregate), expected);
}

#[test]
fn an_interval_comes_to_a_few_samples_a_series() {
    check(
        "hits:1|c\nhits:2|c|@0.5\r\nhits:3|c|#b:2,a:1\nhits:4|c|#a:1,b:2",
        &["d delta hits{a=1,b=2} 7.0", "d delta hits{} 5.0"],
    );
    check("load:5|g\nload:+3|g\nload:-1|g\nnew:-2|g", &["d gauge load{} 7.0", "d gauge new{} -2.0"]);
    check("users:a|s\nusers:b:c|s\nusers:a|s|#host:web-1", &["d set users{} 2.0", "web-1 set users{} 1.0"]);
    check(
        "t:1:2:3|ms|#hostname:h,flag\nt:4|h|#flag,hostname:h|c:abc|T1700000000",
        &[
            "h timer t_count{flag=} 4.0",
            "h timer t_max{flag=} 4.0",
            "h timer t_min{flag=} 1.0",
            "h timer t_sum{flag=} 10.0",
            "h timer t{flag=,quantile=0.5} 2.0",
            "h timer t{flag=,quantile=0.9} 4.0",
            "h timer t{flag=,quantile=0.95} 4.0",
            "h timer t{flag=,quantile=0.99} 4.0",
        ],
    );
}

#[test]
fn only_what_came_in_an_interval_is_told_and_only_gauges_are_remembered() {
    let mut aggregate = Aggregate::new("d".to_owned());
    refusals(&mut aggregate, "a:1|c\nb:5|g");
    assert_eq!(flushed(&mut aggregate), ["d delta a{} 1.0", "d gauge b{} 5.0"]);
    assert!(aggregate.is_empty());
    assert_eq!(flushed(&mut aggregate), [""; 0]);
    refusals(&mut aggregate, "a:2|c\nb:+1|g");
    assert_eq!(flushed(&mut aggregate), ["d delta a{} 2.0", "d gauge b{} 6.0"]);
    (0..400).for_each(|_| drop(flushed(&mut aggregate)));
    assert_eq!(aggregate.bytes(), 0);
}

#[test]
fn a_bad_line_is_refused_by_its_place_and_its_neighbours_count() {
    let mut aggregate = Aggregate::new("d".to_owned());
    assert_eq!(refusals(&mut aggregate, ":1|c"), ["0 a name, a host or tags that are empty or too long in ':1|c'"]);
    let lines = "a:1|c\na\na:1\na:x|c\na:1|q\na:1|c|@0\na:inf|g\n_sc|x|0\na:1:x:2|c";
    let expected = [
        "1 no value in 'a'",
        "2 no type in 'a:1'",
        "3 a value that is no number in 'a:x|c'",
        "4 a type that is unknown in 'a:1|q'",
        "5 a sample rate that is none in 'a:1|c|@0'",
        "6 a value that is not finite in 'a:inf|g'",
        "7 an event or a service check, which are not taken, in '_sc|x|0'",
        "8 a value that is no number in 'a:1:x:2|c'",
    ];
    assert_eq!(refusals(&mut aggregate, lines), expected);
    assert_eq!(flushed(&mut aggregate), ["d delta a{} 4.0"]);
}

#[test]
fn a_timer_whose_sample_rates_count_to_no_number_is_refused_and_keeps_what_it_had() {
    let mut aggregate = Aggregate::new("d".to_owned());
    assert_eq!(refusals(&mut aggregate, "t:0:0|h|@1e-308"), ["0 a value that is not finite in 't:0:0|h|@1e-308'"]);
    assert!(flushed(&mut aggregate).contains(&"d timer t_count{} 1e308".to_owned()));
}

#[test]
fn a_timer_of_any_length_keeps_an_even_choice_of_its_values() {
    let mut aggregate = Aggregate::new("d".to_owned());
    let mut intake = Intake::default();
    for value in 0..100 * TIMER_VALUES_MAX {
        aggregate.add(format!("t:{value}|ms").as_bytes(), &mut intake);
    }
    assert!(aggregate.bytes() < 64 * TIMER_VALUES_MAX);
    let samples = flushed(&mut aggregate);
    let median = samples.iter().find(|sample| sample.contains("quantile=0.5}")).unwrap();
    let median: f64 = median.rsplit(' ').next().unwrap().parse().unwrap();
    let all = 100.0 * TIMER_VALUES_MAX as f64;
    assert!((median / all - 0.5).abs() < 0.01, "{median} of {all}");
    assert!(samples.contains(&format!("d timer t_count{{}} {all:?}")));
}

#[test]
fn invented_names_and_members_cannot_fill_the_memory() {
    let mut aggregate = Aggregate::new("d".to_owned());
    let mut intake = Intake::default();
    let padding = format!("#a:{0},b:{0},c:{0}", "x".repeat(1_000));
    aggregate.add(b"known:1|ms\nset:1|s", &mut intake);
    for place in 0..40_000 {
        aggregate.add(format!("{place}:1|c|{padding}").as_bytes(), &mut intake);
    }
    assert!(aggregate.bytes() <= BYTES_MAX + LINE_BYTES_MAX);
    assert!(intake.verdicts.items() > 20_000, "the rest is refused: {}", intake.verdicts.items());
    assert_eq!(refusals(&mut aggregate, &format!("0:1|c|{padding}")), [""; 0], "what is known goes on");
    let before = aggregate.bytes();
    (0..10_000).for_each(|value| aggregate.add(format!("known:{value}|ms\nset:{value}|s").as_bytes(), &mut intake));
    assert_eq!(aggregate.bytes(), before, "what is known grows no further");
    drop(flushed(&mut aggregate));
    for member in 0..SET_MEMBERS_MAX + 10 {
        aggregate.add(format!("s:{member}|s").as_bytes(), &mut intake);
    }
    assert_eq!(flushed(&mut aggregate), [format!("d set s{{}} {:?}", SET_MEMBERS_MAX as f64)]);
}

proptest! {
    #[test]
    fn an_interval_comes_to_what_a_map_would_hold(
        updates in prop::collection::vec(("[ab]", prop_oneof![Just("c"), Just("g"), Just("s"), Just("ms")], -9_i32..9), 0..40),
    ) {
        let mut aggregate = Aggregate::new("d".to_owned());
        let (mut expected, mut members) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, BTreeSet<i32>>::new());
        for (name, kind, value) in &updates {
            prop_assert_eq!(refusals(&mut aggregate, &format!("{name}:{value}|{kind}")), [""; 0]);
            let (value, number) = (*value, f64::from(*value));
            match *kind {
                "c" => *expected.entry(format!("d delta {name}{{}}")).or_default() += number,
                "g" => {
                    let level = expected.entry(format!("d gauge {name}{{}}")).or_default();
                    *level = if value < 0 { *level + number } else { number };
                }
                "s" => {
                    let members = members.entry(name.clone()).or_default();
                    members.insert(value);
                    expected.insert(format!("d set {name}{{}}"), members.len() as f64);
                }
                _ => {
                    *expected.entry(format!("d timer {name}_count{{}}")).or_default() += 1.0;
                    *expected.entry(format!("d timer {name}_sum{{}}")).or_default() += number;
                }
            }
        }
        let is_told = |sample: &String| !["quantile", "_min", "_max"].iter().any(|part| sample.contains(part));
        let found: Vec<String> = flushed(&mut aggregate).into_iter().filter(is_told).collect();
        let mut expected: Vec<String> = expected.iter().map(|(series, value)| format!("{series} {value:?}")).collect();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_taken_or_refused(lines in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut intake = Intake::default();
        Aggregate::new("d".to_owned()).add(&lines, &mut intake);
        prop_assert!(intake.verdicts.items() <= intake.items);
    }
}

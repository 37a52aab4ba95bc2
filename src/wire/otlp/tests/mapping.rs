//! What each kind of metric, and each attribute, becomes.

use super::*;

fn attribute(name: &str, value: &str) -> String {
    format!(r#"{{"key":"{name}","value":{value}}}"#)
}

#[test]
fn a_number_is_a_sample_of_the_kind_of_its_metric() {
    let point = format!(
        r#"{{"timeUnixNano":"{TIME}","asDouble":1.5,"attributes":[{{"key":"a","value":{{"stringValue":"b"}}}}]}}"#
    );
    let of = |data: &str| format!(r#"{{"name":"m","unit":"s",{data}}}"#).replace("POINT", &point);
    check(&of(r#""gauge":{"dataPoints":[POINT]}"#), &["web-1 gauge m{a=b} 1.5"]);
    let sum = |temporality: &str, monotonic: bool| {
        of(&format!(
            r#""sum":{{"dataPoints":[POINT],"aggregationTemporality":{temporality},"isMonotonic":{monotonic}}}"#
        ))
    };
    check(&sum("2", true), &["web-1 counter m{a=b} 1.5"]);
    check(&sum("2", false), &["web-1 sum m{a=b} 1.5"]);
    check(&sum("1", true), &["web-1 delta m{a=b} 1.5"]);
    check(&sum("\"AGGREGATION_TEMPORALITY_CUMULATIVE\"", true), &["web-1 counter m{a=b} 1.5"]);
    check_refused(&sum("0", true), Code::MissingField, "the aggregation temporality is neither delta nor cumulative");
}

#[test]
fn every_attribute_is_a_label_whatever_its_value_is() {
    let values = [
        ("a", r#"{"stringValue":"x \"y\""}"#, r#"x "y""#),
        ("b", r#"{"boolValue":true}"#, "true"),
        ("c", r#"{"intValue":"-9223372036854775808"}"#, "-9223372036854775808"),
        ("d", r#"{"doubleValue":2.50}"#, "2.5"),
        ("e", r#"{"arrayValue":{"values":[{"intValue":1},{"stringValue":"s"},{}]}}"#, r#"[1,"s",null]"#),
        ("f", r#"{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}"#, r#"{"k":false}"#),
        ("g", "{}", ""),
        ("h", r#"{"bytesValue":"AQID"}"#, "AQID"),
        ("i", r#"{"doubleValue":"NaN"}"#, "NaN"),
    ];
    let attributes: Vec<String> = values.iter().map(|(name, value, _)| attribute(name, value)).collect();
    let metric = format!(
        r#"{{"name":"m","gauge":{{"dataPoints":[{{"timeUnixNano":{TIME},"asInt":"7","attributes":[{}]}}]}}}}"#,
        attributes.join(",")
    );
    let labels: Vec<String> = values.iter().map(|(name, _, label)| format!("{name}={label}")).collect();
    check(&metric, &[&format!("web-1 gauge m{{{}}} 7.0", labels.join(","))]);
}

#[test]
fn the_resource_names_the_server_and_the_nearer_of_two_labels_counts() {
    let resource = [("service.name", "api"), ("service.instance.id", "7"), ("os.type", "linux"), ("k8s.pod.name", "p")];
    let list = |pairs: &[(&str, &str)]| {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| attribute(name, &format!(r#"{{"stringValue":"{value}"}}"#))).collect();
        pairs.join(",")
    };
    let of = |resource: &[(&str, &str)]| {
        let point =
            format!(r#"{{"timeUnixNano":{TIME},"asInt":1,"attributes":[{}]}}"#, list(&[("k8s.pod.name", "nearer")]));
        of_json(&format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{point}]}},"name":"m"}}],
            "scope":{{"name":"lib","version":"1","attributes":[{}]}}}}],"resource":{{"attributes":[{}]}}}}]}}"#,
            list(&[("x", "y")]),
            list(resource)
        ))
        .samples()
    };
    let scope = "k8s.pod.name=nearer,otel.scope.name=lib,otel.scope.x=y";
    assert_eq!(of(&resource), [format!("api gauge m{{{scope},service.instance.id=7}} 1.0")]);
    assert_eq!(
        of(&[("host.name", "h"), ("service.name", "api")]),
        [format!("h gauge m{{{scope},service.name=api}} 1.0")]
    );
    assert_eq!(of(&[]), [format!("otlp gauge m{{{scope}}} 1.0")]);
}

#[test]
fn a_histogram_counts_up_to_each_bound() {
    let metric = |temporality: u8| {
        format!(
            r#"{{"name":"m","histogram":{{"aggregationTemporality":{temporality},"dataPoints":[{{"timeUnixNano":{TIME},
            "count":"6","sum":12.5,"min":0.25,"max":9,"bucketCounts":["1","2","3"],"explicitBounds":[0.5,10]}}]}}}}"#
        )
    };
    let of = |kind: &str| {
        [
            "_bucket{le=0.5} 1.0",
            "_bucket{le=10} 3.0",
            "_bucket{le=+Inf} 6.0",
            "_count{} 6.0",
            "_sum{} 12.5",
            "_min{} 0.25",
            "_max{} 9.0",
        ]
        .map(|sample| format!("web-1 {kind} m{sample}"))
    };
    assert_eq!(of_metric(&metric(2)).samples(), of("histogram"));
    assert_eq!(of_metric(&metric(1)).samples(), of("delta_histogram"));
}

fn exponential(fields: &str) -> String {
    format!(
        r#"{{"name":"m","exponentialHistogram":{{"aggregationTemporality":2,"dataPoints":[{{"timeUnixNano":{TIME},{fields}}}]}}}}"#
    )
}

#[test]
fn an_exponential_histogram_is_put_together_to_powers_of_two() {
    // At scale 1 two buckets make a power of two: (1, 1.41], (1.41, 2], (2, 2.83], (2.83, 4].
    let fields = r#""count":21,"scale":1,"zeroCount":2,"positive":{"offset":1,"bucketCounts":[1,2,3,4,0,0]},
        "negative":{"offset":0,"bucketCounts":[0,9]}"#;
    let buckets = ["-1} 9.0", "0} 11.0", "2} 12.0", "4} 17.0", "8} 21.0", "+Inf} 21.0"];
    let mut expected: Vec<String> = buckets.iter().map(|one| format!("web-1 histogram m_bucket{{le={one}")).collect();
    expected.push("web-1 histogram m_count{} 21.0".to_owned());
    assert_eq!(of_metric(&exponential(fields)).samples(), expected);
    // At scale -1 a bucket spans two powers of two: (1, 4], (4, 16].
    let fields = r#""count":5,"scale":-1,"positive":{"offset":0,"bucketCounts":[1,2]},
        "negative":{"offset":0,"bucketCounts":[2]},"zeroThreshold":0.5"#;
    let buckets = ["-1} 2.0", "0.5} 2.0", "4} 3.0", "16} 5.0", "+Inf} 5.0"];
    let mut expected: Vec<String> = buckets.iter().map(|one| format!("web-1 histogram m_bucket{{le={one}")).collect();
    expected.push("web-1 histogram m_count{} 5.0".to_owned());
    assert_eq!(of_metric(&exponential(fields)).samples(), expected);
}

#[test]
fn the_ends_of_what_floats_can_hold_are_buckets_too() {
    let lowest = of_metric(&exponential(r#""count":1,"scale":0,"positive":{"offset":-1075,"bucketCounts":[1]}"#));
    assert_eq!(lowest.samples()[1], "web-1 histogram m_bucket{le=5e-324} 1.0");
    let highest = of_metric(&exponential(r#""count":1,"scale":0,"positive":{"offset":1023,"bucketCounts":[1]}"#));
    assert_eq!(highest.samples()[1], "web-1 histogram m_bucket{le=+Inf} 1.0");
    for (scale, offset) in [(0, 1024), (0, -1076), (-20, 1), (1 << 30, -(1_i64 << 40)), (-(1 << 30), 5)] {
        let fields = format!(r#""count":1,"scale":{scale},"positive":{{"offset":{offset},"bucketCounts":[1]}}"#);
        let decoded = of_metric(&exponential(&fields));
        let is_refused =
            decoded.refusals() == ["0 number_out_of_range m: a bucket lies beyond what a 64-bit float can hold"];
        assert!(is_refused || scale == 1 << 30, "{scale} {offset}: {decoded:?}");
    }
}

#[test]
fn a_summary_has_a_sample_for_each_quantile_that_has_a_value() {
    let metric = format!(
        r#"{{"name":"m","summary":{{"dataPoints":[{{"timeUnixNano":{TIME},"count":3,"sum":4.5,"quantileValues":[
        {{"quantile":0.5,"value":1}},{{"quantile":0.99,"value":2.5}},{{"quantile":1,"value":"NaN"}}]}}]}}}}"#
    );
    check(
        &metric,
        &["quantile=0.5} 1.0", "quantile=0.99} 2.5"]
            .map(|one| format!("web-1 summary m{{{one}"))
            .iter()
            .map(String::as_str)
            .chain(["web-1 summary m_count{} 3.0", "web-1 summary m_sum{} 4.5"])
            .collect::<Vec<_>>(),
    );
    assert_eq!(of_metric(&metric).intake.left_out.values, 1);
}

#[test]
fn a_point_that_says_it_has_no_value_is_left_out_and_counted() {
    let point = |rest: &str| format!(r#"{{"timeUnixNano":{TIME},{rest}}}"#);
    let metric =
        format!(r#"{{"name":"m","gauge":{{"dataPoints":[{},{}]}}}}"#, point(r#""flags":1"#), point(r#""asInt":2"#));
    check(&metric, &["web-1 gauge m{} 2.0"]);
    assert_eq!(of_metric(&metric).intake.left_out.values, 1);
}

#[test]
fn what_cannot_be_stored_is_refused_with_its_reason_and_its_neighbours_are_not() {
    let gauge = |points: &str| {
        format!(r#"{{"name":"m","gauge":{{"dataPoints":[{points}]}}}}"#)
            .replace("TIME", &format!(r#""timeUnixNano":{TIME}"#))
    };
    check_refused(&gauge(r#"{"asDouble":1}"#), Code::InvalidTimestamp, "the time is not set");
    check_refused(&gauge("{TIME}"), Code::MissingField, "the value is not set");
    check_refused(&gauge(r#"{TIME,"asDouble":"NaN"}"#), Code::NotFinite, "the value must be finite, got NaN");
    let inexact = "integer 9007199254740993 is beyond 2^53, a 64-bit float would make another number of it";
    check_refused(&gauge(r#"{TIME,"asInt":"9007199254740993"}"#), Code::NumberOutOfRange, inexact);
    check(&gauge(r#"{TIME,"asInt":"-9007199254740992"}"#), &["web-1 gauge m{} -9007199254740992.0"]);
    let deep =
        (0..NESTING_MAX + 2).fold("{}".to_owned(), |inner, _| format!(r#"{{"arrayValue":{{"values":[{inner}]}}}}"#));
    let deep = gauge(&format!(r#"{{TIME,"asInt":1,"attributes":[{}]}}"#, attribute("a", &deep)));
    check_refused(&deep, Code::InvalidLabels, "an attribute is nested deeper than 8 levels");
    let histogram = |fields: &str| {
        format!(
            r#"{{"name":"m","histogram":{{"aggregationTemporality":2,"dataPoints":[{{"timeUnixNano":{TIME},{fields}}}]}}}}"#
        )
    };
    check_refused(&histogram(r#""bucketCounts":[1,2]"#), Code::InvalidType, "2 bucket counts do not fit 0 bounds");
    let unsorted = histogram(r#""bucketCounts":[1,2,3],"explicitBounds":[2,1]"#);
    check_refused(&unsorted, Code::InvalidType, "the bounds of the buckets do not increase");
    let many: Vec<String> = (0..70).map(|place| attribute(&place.to_string(), r#"{"stringValue":""}"#)).collect();
    let many = gauge(&format!(r#"{{TIME,"asInt":1,"attributes":[{}]}}"#, many.join(",")));
    check_refused(&many, Code::InvalidLabels, "70 labels, at most 64 are allowed");
    let mixed = of_metric(&gauge(r#"{TIME,"asInt":1},{TIME},{TIME,"asInt":3}"#));
    assert_eq!(mixed.samples(), ["web-1 gauge m{} 1.0", "web-1 gauge m{} 3.0"]);
    assert_eq!(mixed.refusals(), ["1 missing_field m: the value is not set"]);
    assert_eq!(mixed.intake.items, 3);
}

//! Protobuf against JSON, and both against a model that never saw either.

use proptest::prelude::*;

use super::spelling::{attribute, fixed, gauge, part, request, small};
use super::*;

#[derive(Clone, Debug)]
struct Point {
    name: String,
    labels: Vec<(String, String)>,
    value: Result<f64, i64>,
}

impl Point {
    fn protobuf(&self) -> Vec<u8> {
        let labels = self.labels.iter().flat_map(|(name, value)| part(7, &attribute(name, value)));
        let value = match self.value {
            Ok(double) => fixed(4, double.to_bits()),
            Err(integer) => fixed(6, integer as u64),
        };
        let point: Vec<u8> = labels.chain(value).chain(fixed(3, TIME)).chain(small(8, 0)).collect();
        gauge(&self.name, &[point])
    }

    fn json(&self) -> String {
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|(name, value)| serde_json::json!({ "key": name, "value": { "stringValue": value } }))
            .collect();
        let mut point = serde_json::json!({ "timeUnixNano": TIME.to_string(), "attributes": labels, "unknown": [{}] });
        match self.value {
            Ok(double) if double.is_finite() => point["asDouble"] = double.to_string().into(),
            Ok(double) if double.is_nan() => point["asDouble"] = "NaN".into(),
            Ok(double) => point["asDouble"] = if double > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            Err(integer) => point["asInt"] = integer.to_string().into(),
        }
        serde_json::json!({ "gauge": { "dataPoints": [point] }, "name": self.name }).to_string()
    }

    /// The sample it stands for, if it is one.
    fn sample(&self) -> Option<String> {
        let value = match self.value {
            Ok(double) => double.is_finite().then_some(double),
            Err(integer) => (integer.unsigned_abs() <= 1 << 53).then_some(integer as f64),
        };
        let mut labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        labels.sort();
        Some(format!("h gauge {}{{{}}} {:?}", self.name, labels.join(","), value?))
    }
}

fn point() -> impl Strategy<Value = Point> {
    let labels = prop::collection::btree_map("[a-z]{1,3}", "[^\0]{0,6}", 0..4);
    let value = prop_oneof![any::<f64>().prop_map(Ok), any::<i64>().prop_map(Err), (-9_i64..9).prop_map(Err)];
    ("[^\0]{1,8}", labels, value).prop_map(|(name, labels, value)| Point {
        name,
        labels: labels.into_iter().collect(),
        value,
    })
}

proptest! {
    #[test]
    fn both_forms_are_read_as_the_model_says(points in prop::collection::vec(point(), 0..6)) {
        let expected: Vec<String> = points.iter().filter_map(Point::sample).collect();
        let protobuf = of_protobuf(&request("h", &points.iter().map(Point::protobuf).collect::<Vec<_>>()));
        prop_assert_eq!(protobuf.samples(), &expected[..]);
        prop_assert_eq!(protobuf.intake.verdicts.items() as usize, points.len() - expected.len());
        let metrics: Vec<String> = points.iter().map(Point::json).collect();
        let json = super::request(&format!(r#"{{"metrics":[{}]}}"#, metrics.join(","))).replace("web-1", "h");
        let json = of_json(&json);
        prop_assert_eq!(json.samples(), &expected[..]);
        prop_assert_eq!(json.refusals(), protobuf.refusals());
    }

    #[test]
    fn every_float_is_read_bit_for_bit(bits in any::<u64>()) {
        let point = [fixed(3, TIME), fixed(4, bits)].concat();
        let decoded = of_protobuf(&request("h", &[gauge("m", &[point])]));
        let read = decoded.intake.points.values.first().map(|value| value.to_bits());
        prop_assert_eq!(read, f64::from_bits(bits).is_finite().then_some(bits));
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(decoded) = decode_within(&body, UNBOUNDED) {
            decoded.samples_or_nothing();
        }
        drop(json_to_protobuf(&String::from_utf8_lossy(&body), UNBOUNDED));
    }

    #[test]
    fn a_request_cut_anywhere_is_refused_or_is_a_shorter_one(points in prop::collection::vec(point(), 1..4), cut in any::<prop::sample::Index>()) {
        let body = request("h", &points.iter().map(Point::protobuf).collect::<Vec<_>>());
        let cut = cut.index(body.len());
        prop_assert!(cut == 0 || decode_within(&body[..cut], UNBOUNDED).is_err());
    }
}

impl Decoded {
    /// Whatever came: every point has an answer to what it is called.
    fn samples_or_nothing(&self) {
        for raw in &self.intake.points.identities {
            drop((host(&self.text, *raw), identity(&self.text, *raw)));
        }
    }
}

#[test]
fn the_example_of_the_specification_is_understood() {
    let point = |rest: &str| format!(r#"{{"startTimeUnixNano":"1","timeUnixNano":"{TIME}",{rest}}}"#);
    let body = super::request(&format!(
        r#"{{"scope":{{"name":"my.library","version":"1.0.0"}},"schemaUrl":"x","metrics":[
        {{"name":"my.counter","unit":"1","description":"I am","sum":{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{}]}}}},
        {{"name":"none"}},{{"name":"null","gauge":null}},{{"name":"empty","gauge":{{"dataPoints":[]}}}}]}}"#,
        point(r#""asDouble":5,"exemplars":[{"spanId":"eee19b7ec3c1b174"}]"#)
    ));
    assert_eq!(of_json(&body).samples(), ["web-1 delta my.counter{otel.scope.name=my.library} 5.0"]);
}

//! Random documents, rendered with any order, spacing and escapes, read as the model they were rendered from.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::Micros;

#[derive(Clone, Debug)]
struct ModelItem {
    server: Option<Uuid>,
    metric_type: String,
    metric_name: String,
    value: f64,
    labels: Vec<(String, String)>,
    time: Micros,
    /// What decides order, spacing and escapes.
    noise: u64,
}

/// A small generator, so that one number decides a whole rendering.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn space(&mut self) -> &'static str {
        ["", "", "", " ", "\n\t", "  \r\n"][self.below(6) as usize]
    }

    fn string(&mut self, text: &str) -> String {
        let mut out = String::from("\"");
        for character in text.chars() {
            if self.below(8) == 0 || character < ' ' || matches!(character, '"' | '\\') {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(character);
            }
        }
        out + "\""
    }

    fn object(&mut self, mut members: Vec<(String, String)>) -> String {
        for last in (1..members.len()).rev() {
            members.swap(last, self.below(last as u64 + 1) as usize);
        }
        let members = members.into_iter().map(|(name, value)| {
            format!("{}{}{}:{}{value}{}", self.space(), self.string(&name), self.space(), self.space(), self.space())
        });
        let members: Vec<_> = members.collect();
        format!("{{{}}}", members.join(","))
    }
}

impl ModelItem {
    fn render(&self) -> String {
        let mut noise = Noise(self.noise);
        let labels = self.labels.iter().map(|(name, value)| (name.clone(), noise.string(value))).collect();
        let mut time = Vec::new();
        self.time.write_rfc3339(&mut time);
        let mut members = vec![
            ("metric_type".to_owned(), noise.string(&self.metric_type)),
            ("metric_name".to_owned(), noise.string(&self.metric_name)),
            (
                "value".to_owned(),
                if noise.below(2) == 0 { format!("{:e}", self.value) } else { format!("{:?}", self.value) },
            ),
            ("labels".to_owned(), noise.object(labels)),
            ("timestamp".to_owned(), noise.string(std::str::from_utf8(&time).unwrap())),
        ];
        if let Some(server) = self.server {
            members.push(("server_id".to_owned(), noise.string(&server.to_string())));
        }
        if noise.below(4) == 0 {
            members.push(("extra".to_owned(), r#"[{"value": 1}, "\"", -0.5e1]"#.to_owned()));
        }
        noise.object(members)
    }
}

fn items() -> impl Strategy<Value = Vec<ModelItem>> {
    let text = "[a-z\"\\\\é😀\n ]{1,12}";
    let labels = proptest::collection::btree_map("[a-cé\"]{1,3}", "[a-c😀\\\\]{0,12}", 0..4);
    let finite = prop_oneof![(-1000..1000i32).prop_map(|cents| f64::from(cents) / 100.0), any::<f64>()];
    let finite = finite.prop_filter("finite", |value| value.is_finite());
    let server = proptest::option::of((1..4u128).prop_map(Uuid::from_u128));
    let time = 0..4_000_000_000_000_000i64;
    let item = (server, text, text, finite, labels, time, any::<u64>()).prop_map(
        |(server, metric_type, metric_name, value, labels, time, noise)| ModelItem {
            server,
            metric_type,
            metric_name,
            value,
            labels: labels.into_iter().collect(),
            time: Micros(time),
            noise,
        },
    );
    proptest::collection::vec(item, 0..12)
}

proptest! {
    #[test]
    fn a_rendered_document_is_read_as_its_model(items in items(), noise: u64) {
        let mut noise = Noise(noise);
        let rendered: Vec<_> = items.iter().map(|item| format!("{}{}", noise.space(), item.render())).collect();
        let members = vec![
            ("server_id".to_owned(), noise.string(SERVER)),
            ("metrics".to_owned(), format!("[{}{}]", rendered.join(","), noise.space())),
            ("sent_by".to_owned(), r#"{"name": ["a", {}]}"#.to_owned()),
        ];
        let body = noise.object(members);
        let intake = decoded(&body);
        prop_assert_eq!(intake.items as usize, items.len());
        prop_assert_eq!(intake.verdicts.total(), 0);
        for (index, item) in items.iter().enumerate() {
            let server = intake.servers()[intake.points.servers[index] as usize];
            prop_assert_eq!(server, item.server.unwrap_or(SERVER.parse().unwrap()));
            prop_assert_eq!(intake.points.times[index], item.time);
            prop_assert_eq!(intake.points.values[index].to_bits(), item.value.to_bits());
            let read = identity(body.as_bytes(), intake.points.identities[index]).unwrap();
            prop_assert_eq!(read.metric_type(), &item.metric_type);
            prop_assert_eq!(read.metric_name(), &item.metric_name);
            let labels = item.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            prop_assert!(read.labels().iter().eq(labels));
        }
    }
}

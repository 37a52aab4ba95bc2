//! From raw identities to series ids: what every sample of a known series costs.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millrace::catalog::spellings::{RawTexts, Spellings};
use millrace::model::{Intake, SeriesId};
use millrace::wire::native;

const ITEMS: usize = 1_000;

/// A bulk body of one server whose items all name different series.
fn body() -> String {
    let mut body = String::from(r#"{"server_id":"6f9619ff-8b86-d011-b42d-00c04fc964ff","metrics":["#);
    for item in 0..ITEMS {
        let comma = if item == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"metric_type":"cpu","metric_name":"usage_{}","value":1.5,"labels":{{"core":"{}"}},"timestamp":"2025-11-20T10:00:00Z"}}"#,
            item % 10,
            item / 10
        )
        .expect("writing into memory cannot fail");
    }
    body + "]}"
}

fn look_ups(criterion: &mut Criterion) {
    let body = body();
    let mut intake = Intake::default();
    native::decode(body.as_bytes(), &mut intake).expect("the body is good");
    let identities = &intake.points.identities;
    let mut spellings = Spellings::default();
    for (place, identity) in identities.iter().enumerate() {
        spellings.add(RawTexts::of(*identity, body.as_bytes()), SeriesId(place as u32));
    }
    let mut group = criterion.benchmark_group("catalog");
    group.throughput(Throughput::Elements(ITEMS as u64));
    group.bench_function("look_up_known_spellings", |bencher| {
        bencher.iter(|| {
            let known = |identity| spellings.get(RawTexts::of(identity, black_box(body.as_bytes())));
            identities.iter().filter_map(|identity| known(*identity)).map(|series| u64::from(series.0)).sum::<u64>()
        });
    });
    group.finish();
}

criterion_group!(benches, look_ups);
criterion_main!(benches);

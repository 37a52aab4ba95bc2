//! What judging costs a committed sample: without rules, with one rule a series, with ten thousand rules, with windows; and
//! what it costs to find out which of ten thousand rules watch a series that is met for the first time.

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace::alert::definition::{Definition, Head};
use millrace::alert::judge::Judge;
use millrace::alert::rule::Rule;
use millrace::model::alert::RuleId;
use millrace::model::series::SeriesDirectory;
use millrace::model::{Batch, Committed, Identity, Labels, Micros, Origin, Reach, Series, SeriesId, ServerKey};
use serde_json::{Value, json};
use uuid::Uuid;

const SERIES: u32 = 100_000;
const SERIES_PER_SERVER: u32 = 100;
const BEGIN: i64 = 1_763_632_800_000_000;

#[derive(Debug)]
struct Directory(Vec<Arc<Series>>);

impl SeriesDirectory for Directory {
    fn is_within(&self, _server_id: Uuid, _reach: &Reach) -> bool {
        true
    }

    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(id.0 as usize).cloned()
    }
}

/// Ten thousand names, ten series of each.
fn directory() -> Arc<Directory> {
    let series = |number: u32| {
        let server = number / SERIES_PER_SERVER;
        let name = format!("usage_{}", number % 10_000);
        let identity = Identity::new("cpu", &name, Labels::default()).expect("a valid identity");
        let server_id = Uuid::from_u128(u128::from(server));
        Arc::new(Series { id: SeriesId(number), server: ServerKey(server as i32), server_id, identity })
    };
    Arc::new(Directory((0..SERIES).map(series).collect()))
}

fn rule(id: i64, form: Value) -> Arc<Rule> {
    let definition: Definition = serde_json::from_value(form).expect("a definition");
    let head = Head { id: RuleId(id), version: 1, name: "bench".to_owned(), reach: Reach::fleet() };
    Arc::new(definition.rule(head).expect("a rule"))
}

fn one_for_all(more: &Value) -> Vec<Arc<Rule>> {
    let mut form = json!({"metric_type": "cpu", "condition": {"op": "gt", "threshold": 1e9}});
    if let (Some(form), Some(more)) = (form.as_object_mut(), more.as_object()) {
        form.extend(more.clone());
    }
    vec![rule(1, form)]
}

fn one_a_name() -> Vec<Arc<Rule>> {
    let form = |id| json!({"metric_name": format!("usage_{id}"), "condition": {"op": "gt", "threshold": 1e9}});
    (0..10_000).map(|id| rule(id, form(id))).collect()
}

fn judge(directory: &Arc<Directory>, rules: &[Arc<Rule>]) -> Judge {
    let mut judge = Judge::new(Arc::clone(directory) as Arc<dyn SeriesDirectory>);
    for rule in rules {
        judge.put_rule(Arc::clone(rule)).expect("there is room");
    }
    while !judge.match_some() {}
    judge
}

fn flush(turn: i64) -> Committed {
    let mut batch = Batch::with_capacity(SERIES as usize);
    let time = Micros(BEGIN + turn * 10 * Micros::PER_SECOND);
    (0..SERIES).for_each(|id| batch.push(SeriesId(id), time, f64::from(id)));
    Committed { origin: Origin::default(), sequence: 1, committed_at: time, batch }
}

fn sample(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alert/sample");
    group.throughput(Throughput::Elements(u64::from(SERIES)));
    let directory = directory();
    let window = json!({"window": {"agg": "avg", "over": "5m"}});
    let silence = json!({"no_data": {"then": "fire", "after": "1h"}});
    let rules: [(&str, Vec<Arc<Rule>>); 5] = [
        ("no rules", Vec::new()),
        ("one rule a series", one_for_all(&json!({}))),
        ("one rule a series, silence", one_for_all(&silence)),
        ("10,000 rules", one_a_name()),
        ("one window of 5m at 10s a series", one_for_all(&window)),
    ];
    for (name, rules) in rules {
        let mut judge = judge(&directory, &rules);
        let (mut turn, mut found) = (0, Vec::new());
        let mut next = || {
            turn += 1;
            let mut flush = flush(0);
            flush.batch.times.fill(Micros(BEGIN + turn * 10 * Micros::PER_SECOND));
            flush
        };
        for _ in 0..30 {
            let flush = next();
            judge.judge(&flush, flush.committed_at, &mut found);
        }
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                &mut next,
                |flush| judge.judge(&flush, flush.committed_at, &mut found),
                BatchSize::PerIteration,
            );
        });
        assert!(found.is_empty(), "nothing is that high");
    }
    group.finish();
}

fn meeting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alert/new series");
    group.throughput(Throughput::Elements(u64::from(SERIES)));
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let (directory, flush) = (directory(), flush(0));
    for (name, rules) in [("1 rule", one_for_all(&json!({}))), ("10,000 rules", one_a_name())] {
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_batched(
                || judge(&directory, &rules),
                |mut judge| {
                    judge.judge(&flush, Micros(BEGIN), &mut Vec::new());
                    judge
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// A look at the agenda while nothing is due, and one at which everything is.
fn tick(criterion: &mut Criterion) {
    let directory = directory();
    let absent = rule(1, json!({"metric_type": "cpu", "condition": {"op": "absent", "after": "60s"}}));
    let heard = || {
        let mut judge = judge(&directory, &[Arc::clone(&absent)]);
        judge.judge(&flush(0), Micros(BEGIN), &mut Vec::new());
        judge.tick(Micros(BEGIN), &mut Vec::new());
        judge
    };
    let mut group = criterion.benchmark_group("alert/tick");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let mut idle = heard();
    group.bench_function("100,000 series, nothing due", |bencher| {
        bencher.iter(|| idle.tick(Micros(BEGIN), &mut Vec::new()));
    });
    group.bench_function("10,000 absences", |bencher| {
        bencher.iter_batched(
            heard,
            |mut judge| {
                let mut found = Vec::new();
                judge.tick(Micros(BEGIN + 60 * Micros::PER_SECOND), &mut found);
                assert_eq!(found.len(), 10_000);
                (judge, found)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, sample, meeting, tick);
criterion_main!(benches);

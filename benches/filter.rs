//! What live push costs: one filter against one series, and one committed sample with nobody, one and many listening.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace::live::{Hub, HubConfig, HubWorker, Marks, StreamRequest, Subscription};
use millrace::model::series::SeriesDirectory;
use millrace::model::{
    Batch, CommitListener, Committed, Identity, Labels, Micros, Origin, Reach, Series, SeriesId, ServerKey,
};
use uuid::Uuid;

const SERVERS: u32 = 100;
const SERIES_PER_SERVER: u32 = 100;
const SERIES: u32 = SERVERS * SERIES_PER_SERVER;

#[derive(Debug)]
struct Directory(Vec<Arc<Series>>);

impl SeriesDirectory for Directory {
    fn is_within(&self, _server_id: Uuid, reach: &Reach) -> bool {
        reach.is_everything()
    }

    fn series(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.0.get(id.0 as usize).cloned()
    }
}

fn series(number: u32) -> Arc<Series> {
    let (server, within) = (number / SERIES_PER_SERVER, number % SERIES_PER_SERVER);
    let labels = Labels::new(vec![("core".into(), within.to_string().into())]).expect("a valid label");
    let name = format!("cpu_{within}");
    let identity = Identity::new("vcpu_usage", &name, labels).expect("a valid identity");
    let server_id = Uuid::from_u128(u128::from(server));
    Arc::new(Series { id: SeriesId(number), server: ServerKey(server as i32), server_id, identity })
}

fn request(of: &[(&str, String)]) -> StreamRequest {
    let pairs: Vec<_> = of.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    StreamRequest::parse(&pairs, Reach::everything()).expect("a valid request")
}

fn flush(sequence: u64) -> Arc<Committed> {
    let mut batch = Batch::with_capacity(SERIES as usize);
    for id in 0..SERIES {
        batch.push(SeriesId(id), Micros(1_763_632_800_000_000), f64::from(id) / 8.0);
    }
    Arc::new(Committed { origin: Origin::default(), sequence, committed_at: Micros(0), batch })
}

fn matching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter/match");
    let series = series(4_217);
    let literal = request(&[("server_id", series.server_id.to_string()), ("metric_type", "vcpu_usage".into())]);
    let wildcards = request(&[("metric_name", "*_1*,cpu*7".into()), ("label.core", "1*".into())]);
    let other_server = request(&[("server_id", Uuid::from_u128(9).to_string()), ("metric_name", "*7".into())]);
    for (name, request) in [("literal", literal), ("wildcards", wildcards), ("other server", other_server)] {
        group.bench_function(name, |bencher| bencher.iter(|| request.filter.matches(black_box(&series))));
    }
    group.finish();
}

/// Sessions with distinct filters, each of which matches two series of one server.
fn subscribe(hub: &Arc<Hub>, worker: &mut HubWorker, sessions: u32) -> Vec<Subscription> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let one = |number: u32| {
        let server = Uuid::from_u128(u128::from(number % SERVERS)).to_string();
        let within = number / SERVERS;
        let request = request(&[("server_id", server), ("metric_name", format!("cpu_{within},cpu_{}", within + 50))]);
        runtime.block_on(async {
            let (subscription, ()) = tokio::join!(hub.subscribe(&request), async { worker.drain() });
            subscription.expect("there is room")
        })
    };
    (0..sessions).map(one).collect()
}

fn routing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("live/sample");
    group.throughput(Throughput::Elements(u64::from(SERIES)));
    for sessions in [0, 1, 5000] {
        let directory = Arc::new(Directory((0..SERIES).map(series).collect()));
        let (hub, mut worker) = Hub::build(HubConfig::default(), directory, Marks::default());
        let subscriptions = subscribe(&hub, &mut worker, sessions);
        let flush = flush(1);
        group.bench_function(BenchmarkId::new("sessions", sessions), |bencher| {
            bencher.iter(|| {
                hub.committed(&flush);
                worker.drain();
            });
        });
        drop(subscriptions);
    }
    group.finish();
}

criterion_group!(benches, matching, routing);
criterion_main!(benches);

//! Live push as a whole, driven step by step: the hub against a naive model, overflow, marks and replays.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::fixtures::{flush, payloads};
use super::mailbox::Mailbox;
use super::state::{HubState, SessionId};
use super::stats::LiveStats;
use super::*;
use crate::matching::Filter;
use crate::matching::fixtures::{Directory, directory, pairs};
use crate::model::{CommitListener, Committed, Micros, Origin, Reach, Sample};

const ORIGIN: Origin = Origin { node: 1, lane: 0 };
const ROOMY: QueueLimits = QueueLimits { messages_max: 1 << 20, bytes_max: 1 << 30, all_bytes_max: 1 << 30 };

fn request(of: &[(&str, &str)]) -> StreamRequest {
    StreamRequest::parse(&pairs(of), Reach::everything()).unwrap()
}

/// The `(series, sequence)` of the metrics, and the `(server, MAX)` of the events, in the order they were pushed.
fn read(payloads: Vec<String>) -> Vec<(u32, u64)> {
    let json = payloads.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
    let single = json.flat_map(|json| json.as_array().cloned().unwrap_or_else(|| vec![json]));
    let one = |json: serde_json::Value| {
        let data = &json["data"];
        if json["type"] == "metric" {
            let time: jiff::Timestamp = data["timestamp"].as_str().unwrap().parse().unwrap();
            (data["value"].as_f64().unwrap() as u32, time.as_microsecond() as u64)
        } else {
            assert_eq!(json["type"], "process_snapshot");
            (data.as_u64().unwrap() as u32, u64::MAX)
        }
    };
    single.map(one).collect()
}

fn received(mailbox: &Mailbox) -> (Vec<(u32, u64)>, u64) {
    let taken = mailbox.take(usize::MAX);
    (read(taken.runs.iter().flat_map(|run| payloads(&run.bytes)).collect()), taken.dropped)
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe { filter: Vec<(&'static str, String)>, batch: bool },
    Unsubscribe(prop::sample::Index),
    Deliver(Vec<u32>),
    Skip(Vec<u32>),
    Publish(u8),
}

fn filters() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let servers = prop::collection::vec(0..10_u8, 0..3).prop_map(|servers| {
        let ids = servers.iter().map(|server| Uuid::from_u128(u128::from(*server)).to_string());
        ("server_id", ids.collect::<Vec<_>>().join(","))
    });
    let types = prop::sample::select(vec!["", "cpu", "d*", "cpu,disk"]).prop_map(|v| ("metric_type", v.to_owned()));
    let names = prop::sample::select(vec!["", "*s*", "free,idle"]).prop_map(|v| ("metric_name", v.to_owned()));
    let labels = prop::sample::select(vec!["", "", "odd", "e*"]).prop_map(|v| ("label.parity", v.to_owned()));
    (servers, types, names, labels).prop_map(|(servers, types, names, labels)| vec![servers, types, names, labels])
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Series 40 and above are not in the directory.
    let series = || prop::collection::vec(0..44_u32, 0..30);
    let step = prop_oneof![
        3 => (filters(), any::<bool>()).prop_map(|(filter, batch)| Step::Subscribe { filter, batch }),
        2 => any::<prop::sample::Index>().prop_map(Step::Unsubscribe),
        4 => series().prop_map(Step::Deliver),
        1 => series().prop_map(Step::Skip),
        1 => (0..11_u8).prop_map(Step::Publish),
    ];
    prop::collection::vec(step, 0..40)
}

/// A subscriber, and what it must have been sent.
struct Expected {
    session: SessionId,
    filter: Arc<Filter>,
    mailbox: Arc<Mailbox>,
    messages: Vec<(u32, u64)>,
    dropped: u64,
}

impl Expected {
    fn count(&self, directory: &Directory, series: &[u32]) -> Vec<u32> {
        let known = series.iter().filter_map(|id| directory.0.get(*id as usize));
        known.filter(|series| self.filter.matches(series)).map(|series| series.id.0).collect()
    }
}

fn subscriber(state: &mut HubState, stats: &Arc<LiveStats>, request: &StreamRequest) -> Expected {
    let mailbox = Arc::new(Mailbox::new(ROOMY, Arc::clone(stats)));
    let filter = Arc::clone(&request.filter);
    let group = state.group(&filter, request.batch).unwrap();
    while !state.match_some() {}
    let session = state.join(group, Arc::clone(&mailbox));
    Expected { session, filter, mailbox, messages: Vec::new(), dropped: 0 }
}

proptest! {
    #[test]
    fn every_subscriber_gets_exactly_what_it_asked_for_while_it_was_there(steps in steps()) {
        let (directory, stats) = (directory(), Arc::<LiveStats>::default());
        let mut state = HubState::new(Arc::new(Directory(directory.0.clone())), Marks::default(), Arc::clone(&stats));
        let mut present: Vec<Expected> = Vec::new();
        for (step, sequence) in steps.into_iter().zip(1..) {
            match step {
                Step::Subscribe { filter, batch } => {
                    let mut filter: Vec<(&str, &str)> = filter.iter().map(|(k, v)| (*k, v.as_str())).collect();
                    filter.push(("batch", if batch { "true" } else { "false" }));
                    present.push(subscriber(&mut state, &stats, &request(&filter)));
                }
                Step::Unsubscribe(index) if !present.is_empty() => {
                    let gone = present.swap_remove(index.index(present.len()));
                    state.unsubscribe(gone.session);
                    prop_assert_eq!(received(&gone.mailbox), (gone.messages, gone.dropped));
                }
                Step::Unsubscribe(_) => {}
                Step::Deliver(series) => {
                    state.deliver(&flush(ORIGIN, sequence, &series));
                    for expected in &mut present {
                        let matching = expected.count(&directory, &series);
                        expected.messages.extend(matching.into_iter().map(|id| (id, sequence)));
                    }
                }
                Step::Skip(series) => {
                    state.skip(&flush(ORIGIN, sequence, &series));
                    for expected in &mut present {
                        expected.dropped += expected.count(&directory, &series).len() as u64;
                    }
                }
                Step::Publish(server) => {
                    let (server_id, data) = (Uuid::from_u128(u128::from(server)), server.to_string().into());
                    state.publish(&Event { server_id, kind: "process_snapshot", data });
                    for expected in present.iter_mut().filter(|expected| expected.filter.admits_event(server_id, &directory)) {
                        expected.messages.push((u32::from(server), u64::MAX));
                    }
                }
            }
        }
        for expected in present {
            prop_assert_eq!(received(&expected.mailbox), (expected.messages, expected.dropped));
        }
    }
}

#[test]
fn groups_nobody_is_in_are_swept_out_and_the_others_stay_right() {
    let stats = Arc::<LiveStats>::default();
    let mut state = HubState::new(Arc::new(directory()), Marks::default(), Arc::clone(&stats));
    let kept = subscriber(&mut state, &stats, &request(&[("metric_type", "disk")]));
    for round in 0..10 {
        let names = (0..100).map(|number| format!("user,{}", round * 100 + number));
        let gone: Vec<_> =
            names.map(|name| subscriber(&mut state, &stats, &request(&[("metric_name", &name)]))).collect();
        state.deliver(&flush(ORIGIN, round, &[0, 1, 2, 3]));
        assert!(gone.iter().all(|gone| received(&gone.mailbox).0 == [(0, round)]));
        gone.iter().for_each(|gone| state.unsubscribe(gone.session));
        assert_eq!(received(&kept.mailbox).0, [(2, round), (3, round)]);
        assert!(state.groups_kept() < 300, "{} groups are kept", state.groups_kept());
    }
}

/// A hub and its worker on this thread.
fn hub(config: HubConfig) -> (Arc<Hub>, HubWorker) {
    Hub::build(config, Arc::new(directory()), Marks::default())
}

async fn subscribe(
    hub: &Arc<Hub>,
    worker: &mut HubWorker,
    of: &[(&str, &str)],
) -> Result<Subscription, SubscribeError> {
    let request = request(of);
    let (subscription, ()) = tokio::join!(hub.subscribe(&request), async { worker.drain() });
    subscription
}

#[tokio::test]
async fn a_stalled_session_loses_its_own_oldest_messages_and_no_one_elses() {
    let queue = QueueLimits { messages_max: 10, ..QueueLimits::default() };
    let (hub, mut worker) = hub(HubConfig { queue, ..HubConfig::default() });
    let stalled = subscribe(&hub, &mut worker, &[("metric_type", "cpu")]).await.unwrap();
    let lively = subscribe(&hub, &mut worker, &[("metric_type", "cpu")]).await.unwrap();
    for sequence in 1..=15 {
        hub.committed(&flush(ORIGIN, sequence, &[0, 2]));
        worker.drain();
        assert_eq!(lively.arrived().now_or_never(), Some(()));
        assert_eq!(received(&lively.mailbox), (vec![(0, sequence)], 0));
    }
    let newest: Vec<_> = (6..=15).map(|sequence| (0, sequence)).collect();
    assert_eq!(received(&stalled.mailbox), (newest, 5));
    assert_eq!(hub.stats().dropped.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn when_the_hub_cannot_keep_up_every_sample_is_delivered_or_told_as_lost() {
    let (hub, mut worker) = hub(HubConfig::default());
    let subscription = subscribe(&hub, &mut worker, &[]).await.unwrap();
    let flushes: u64 = 2000;
    (1..=flushes).for_each(|sequence| hub.committed(&flush(ORIGIN, sequence, &[1, 2, 3])));
    worker.drain();
    let (messages, dropped) = received(&subscription.mailbox);
    assert_eq!(messages.len() as u64 + dropped, flushes * 3);
    assert!(!messages.is_empty() && dropped > 0);
    assert_eq!(messages.last(), Some(&(3, flushes)), "the newest are delivered, the oldest are not");
    assert_eq!(hub.stats().backlog_bytes.load(Ordering::Relaxed), 0);
    let later = subscribe(&hub, &mut worker, &[]).await.unwrap();
    assert_eq!(later.marks().get(ORIGIN), Some(flushes));
}

#[tokio::test]
async fn a_flush_lost_before_a_subscription_is_within_its_marks() {
    let (hub, mut worker) = hub(HubConfig::default());
    let big: Vec<u32> = vec![1; 600 * 1024];
    hub.committed(&flush(ORIGIN, 1, &big));
    hub.committed(&flush(ORIGIN, 2, &[1]));
    let later = subscribe(&hub, &mut worker, &[]).await.unwrap();
    assert_eq!(later.marks().get(ORIGIN), Some(2));
    assert_eq!(hub.stats().flushes_dropped.load(Ordering::Relaxed), 1, "the larger one made way for the newer one");
    assert_eq!(received(&later.mailbox), (vec![], 0));
}

#[tokio::test]
async fn no_more_sessions_than_allowed_and_the_place_of_one_that_left_is_free() {
    let (hub, mut worker) = hub(HubConfig { sessions_max: 1, ..HubConfig::default() });
    let first = subscribe(&hub, &mut worker, &[]).await.unwrap();
    assert_eq!(subscribe(&hub, &mut worker, &[]).await.unwrap_err(), SubscribeError::TooManySessions);
    drop(first);
    subscribe(&hub, &mut worker, &[]).await.unwrap();
    worker.drain();
    assert_eq!(hub.stats().sessions.load(Ordering::Relaxed), 0, "its own place is free as well");
}

#[tokio::test]
async fn an_event_is_encoded_once_in_each_form_and_shared_by_all_who_get_it() {
    let (hub, mut worker) = hub(HubConfig::default());
    let mut subscriptions = Vec::new();
    for number in 0..20 {
        let batch = if number % 2 == 0 { "false" } else { "true" };
        let name = format!("name{number}");
        subscriptions.push(subscribe(&hub, &mut worker, &[("metric_name", &name), ("batch", batch)]).await.unwrap());
    }
    hub.publish(Event { server_id: Uuid::nil(), kind: "process_snapshot", data: "0".into() });
    worker.drain();
    let taken = subscriptions.iter().map(|subscription| subscription.take(usize::MAX).runs.pop().unwrap().bytes);
    let places: std::collections::HashSet<_> = taken.map(|bytes| bytes.as_ptr()).collect();
    assert_eq!(places.len(), 2);
}

#[tokio::test]
async fn an_event_that_is_too_long_is_counted() {
    let (hub, mut worker) = hub(HubConfig::default());
    let subscription = subscribe(&hub, &mut worker, &[]).await.unwrap();
    let data = vec![b'0'; (1 << 20) + 1].into();
    hub.publish(Event { server_id: Uuid::nil(), kind: "process_snapshot", data });
    worker.drain();
    assert_eq!(hub.stats().events_too_long.load(Ordering::Relaxed), 1);
    assert_eq!(received(&subscription.mailbox), (vec![], 0));
}

#[tokio::test]
async fn who_asks_and_does_not_look_at_the_answer_holds_up_nobody() {
    let (hub, mut worker) = hub(HubConfig::default());
    let turns = hub.turns_left();
    let mut asked = Box::pin(hub.marks());
    assert!(futures_util::poll!(asked.as_mut()).is_pending());
    assert_eq!(hub.turns_left(), turns - 1);
    worker.drain();
    assert_eq!(hub.turns_left(), turns);
    asked.await.unwrap();
}

#[tokio::test]
async fn samples_go_on_being_delivered_while_a_new_filter_is_matched() {
    let series = |id| Arc::new(crate::matching::fixtures::series(id, 1, "cpu", "user", &[]));
    // Several slices for a filter of many patterns.
    let known: Vec<u32> = (0..10_000).collect();
    let (hub, mut worker) = Hub::build(
        HubConfig::default(),
        Arc::new(Directory(known.iter().map(|id| series(*id)).collect())),
        Marks::default(),
    );
    let before = subscribe(&hub, &mut worker, &[]).await.unwrap();
    hub.committed(&flush(ORIGIN, 1, &known));
    worker.drain();
    before.take(usize::MAX);
    let patterns = (0..200).map(|number| format!("*x{number}*")).collect::<Vec<_>>().join(",") + ",*s*";
    let asked = request(&[("metric_name", &patterns)]);
    let mut joining = Box::pin(hub.subscribe(&asked));
    assert!(futures_util::poll!(joining.as_mut()).is_pending());
    hub.committed(&flush(ORIGIN, 2, &[7]));
    worker.turn();
    worker.turn();
    assert_eq!(received(&before.mailbox).0, [(7, 2)]);
    assert!(futures_util::poll!(joining.as_mut()).is_pending(), "it is matched in more slices than that");
    worker.drain();
    let after = joining.await.unwrap();
    assert_eq!(after.marks().get(ORIGIN), Some(2));
    hub.committed(&flush(ORIGIN, 3, &[9999]));
    worker.drain();
    assert_eq!(received(&after.mailbox).0, [(9999, 3)]);
}

#[tokio::test]
async fn who_waits_until_the_hub_has_caught_up_finds_everything_in_the_queues() {
    let tasks = crate::shutdown::Tasks::default();
    let (hub, worker) = hub(HubConfig::default());
    tasks.spawn("live hub", worker.run(tasks.stopping()));
    let subscription = hub.subscribe(&request(&[])).await.unwrap();
    (1..=100).for_each(|sequence| hub.committed(&flush(ORIGIN, sequence, &[1])));
    hub.caught_up(std::time::Duration::from_secs(10)).await;
    let (messages, dropped) = received(&subscription.mailbox);
    assert_eq!(messages.len() as u64 + dropped, 100);
    assert_eq!(tasks.stop(std::time::Duration::from_secs(10)).await, Ok(()));
}

#[tokio::test]
async fn without_subscribers_a_flush_only_moves_the_marks() {
    let (hub, mut worker) = hub(HubConfig::default());
    hub.committed(&flush(ORIGIN, 7, &[1, 999]));
    worker.drain();
    assert_eq!(hub.stats().unknown_series.load(Ordering::Relaxed), 0);
    let (marks, ()) = tokio::join!(hub.marks(), async { worker.drain() });
    assert_eq!(marks.unwrap().iter().collect::<Vec<_>>(), [(ORIGIN, 7)]);
}

#[tokio::test]
async fn the_worker_serves_on_its_own_thread_until_it_is_stopped() {
    let tasks = crate::shutdown::Tasks::default();
    let (hub, worker) = hub(HubConfig::default());
    tasks.spawn("live hub", worker.run(tasks.stopping()));
    let subscription = hub.subscribe(&request(&[])).await.unwrap();
    hub.committed(&flush(ORIGIN, 1, &[5]));
    subscription.arrived().await;
    assert_eq!(received(&subscription.mailbox), (vec![(5, 1)], 0));
    assert_eq!(tasks.stop(std::time::Duration::from_secs(10)).await, Ok(()));
    assert_eq!(hub.subscribe(&request(&[])).await.unwrap_err(), SubscribeError::Stopped);
}

/// Stores every flush before it is handed to the hub, and replays what lies within the marks. While it replays more
/// flushes are committed, as on a busy server.
#[derive(Debug)]
struct BusyStore {
    hub: Arc<Hub>,
    directory: Directory,
    stored: std::sync::Mutex<Vec<Arc<Committed>>>,
    commits_left: std::sync::atomic::AtomicU64,
}

impl BusyStore {
    fn commit(&self, lane: u16) {
        let mut stored = self.stored.lock().unwrap();
        let origin = Origin { node: 1, lane };
        let sequence = 1 + stored.iter().filter(|flush| flush.origin == origin).count() as u64;
        let flush = flush(origin, sequence, &[1, 2, 3]);
        stored.push(Arc::clone(&flush));
        self.hub.committed(&flush);
    }
}

impl Replay for BusyStore {
    fn replay(&self, range: ReplayRange, into: mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_> {
        Box::pin(async move {
            let is_in = |flush: &Committed| {
                let after = range.after.as_ref().and_then(|marks| marks.get(flush.origin)).unwrap_or(0);
                flush.sequence > after && flush.sequence <= range.up_to.get(flush.origin).unwrap_or(0)
            };
            let found: Vec<_> =
                self.stored.lock().unwrap().iter().filter(|flush| is_in(flush)).map(Arc::clone).collect();
            for flush in found {
                if self.commits_left.load(Ordering::Relaxed) > 0 {
                    self.commits_left.fetch_sub(1, Ordering::Relaxed);
                    self.commit((flush.sequence % 2) as u16);
                }
                let samples = flush.batch.series.iter().zip(&flush.batch.times).map(|(id, time)| {
                    let series = Arc::clone(&self.directory.0[id.0 as usize]);
                    Sample { value: f64::from(id.0), series, time: *time }
                });
                let matching =
                    samples.filter(|sample| range.filter.matches(&sample.series) && sample.time >= range.since);
                into.send(matching.collect()).await.unwrap();
            }
            Ok(range.up_to)
        })
    }
}

#[tokio::test]
async fn a_replay_goes_over_into_live_with_no_gap_and_no_duplicate() {
    let tasks = crate::shutdown::Tasks::default();
    let (hub, worker) = hub(HubConfig::default());
    tasks.spawn("live hub", worker.run(tasks.stopping()));
    let store = Arc::new(BusyStore {
        hub: Arc::clone(&hub),
        directory: directory(),
        stored: std::sync::Mutex::default(),
        // Fewer than the hub queues are left after the first round, so that no pace of its worker makes it drop one.
        commits_left: 500.into(),
    });
    (0..400).for_each(|number| store.commit(number % 2));
    // The worker has seen all of it once it answers a question asked after it has nothing left to do.
    while hub.marks().await.unwrap().iter().map(|(_, sequence)| sequence).sum::<u64>() < 400 {
        tokio::task::yield_now().await;
    }
    let request = StreamRequest { since: Some(Micros(20)), ..request(&[("metric_type", "disk"), ("batch", "true")]) };
    let (runs, mut replayed) = mpsc::channel::<super::frame::Run>(4);
    let replays = Arc::new(Replays::new(Arc::clone(&store) as Arc<dyn Replay>));
    let collect = async {
        let mut payload = Vec::new();
        while let Some(run) = replayed.recv().await {
            payload.extend(payloads(&run.bytes));
        }
        payload
    };
    let (subscription, before) =
        tokio::join!(super::replay::attach(Arc::clone(&hub), Some(replays), request, runs), collect);
    let subscription = subscription.unwrap();
    store.commit(0);
    let mut all = read(before);
    let expected: Vec<u64> = {
        let stored = store.stored.lock().unwrap();
        stored.iter().map(|flush| flush.sequence).filter(|sequence| *sequence >= 20).collect()
    };
    while all.len() < expected.len() * 2 {
        subscription.arrived().await;
        let (more, dropped) = received(&subscription.mailbox);
        assert_eq!(dropped, 0);
        all.extend(more);
    }
    let mut expected: Vec<(u32, u64)> = expected.iter().flat_map(|sequence| [(2, *sequence), (3, *sequence)]).collect();
    all.sort_unstable();
    expected.sort_unstable();
    assert_eq!(all, expected);
    assert!(store.commits_left.load(Ordering::Relaxed) <= 100, "flushes were committed while it replayed");
}

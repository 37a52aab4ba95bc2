//! The protocol of one session, with a client of the protocol library at the other end of a pipe. The hub's worker runs
//! on the test's own thread, so that time can stand still.

use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::live::fixtures::flush;
use crate::live::replay::REPLAYS_MAX;
use crate::live::{HubConfig, HubWorker, Marks, QueueLimits, Replay, ReplayFuture, ReplayRange, StreamRequest};
use crate::matching::fixtures::{directory, pairs};
use crate::model::{CommitListener, Micros, Origin, Reach, Sample};

const ORIGIN: Origin = Origin { node: 1, lane: 0 };

struct Served {
    hub: Arc<Hub>,
    worker: HubWorker,
    client: WebSocketStream<DuplexStream>,
    session: JoinHandle<Ended>,
    stop: CancellationToken,
    tasks: Tasks,
    sequence: u64,
}

impl Served {
    /// A session over a pipe that holds `pipe_bytes`, once it is subscribed.
    async fn start(pipe_bytes: usize, config: HubConfig, of: &[(&str, &str)]) -> Self {
        Self::start_with(pipe_bytes, config, of, None).await
    }

    async fn start_with(
        pipe_bytes: usize,
        config: HubConfig,
        of: &[(&str, &str)],
        replays: Option<Arc<Replays>>,
    ) -> Self {
        let (hub, worker) = Hub::build(config, Arc::new(directory()), Marks::default());
        let (client, server) = duplex(pipe_bytes);
        let request = StreamRequest::parse(&pairs(of), Reach::everything()).unwrap();
        let (tasks, heartbeat) = (Tasks::default(), HeartbeatConfig::default());
        let dismissed = CancellationToken::new();
        let setup = SessionSetup {
            hub: Arc::clone(&hub),
            replays,
            wanted: Wanted::Stream(request),
            heartbeat,
            tasks: tasks.clone(),
            dismissed,
        };
        let stop = CancellationToken::new();
        let session = tasks.spawn("session", serve(server, setup, stop.clone().cancelled_owned()));
        let client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
        let mut served = Self { hub, worker, client, session, stop, tasks, sequence: 0 };
        served.settle().await;
        served
    }

    /// Lets the session and the worker do all they can without time passing.
    async fn settle(&mut self) {
        for _ in 0..100 {
            self.worker.drain();
            tokio::task::yield_now().await;
        }
    }

    async fn commit(&mut self, series: &[u32]) {
        self.sequence += 1;
        self.hub.committed(&flush(ORIGIN, self.sequence, series));
        self.settle().await;
    }

    async fn text(&mut self) -> serde_json::Value {
        match self.client.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text: {other:?}"),
        }
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            match self.client.next().await.unwrap().unwrap() {
                Message::Close(frame) => return frame.unwrap().code.into(),
                other => assert!(other.is_text() || other.is_ping(), "{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn committed_samples_arrive_as_the_frames_of_system_002() {
    let mut served = Served::start(4096, HubConfig::default(), &[("metric_type", "cpu")]).await;
    served.commit(&[0, 1, 2]).await;
    for name in ["user", "idle"] {
        let text = served.text().await;
        assert_eq!((&text["type"], &text["data"]["metric_name"]), (&"metric".into(), &name.into()));
        assert_eq!(text["data"]["id"], 0);
    }
}

#[tokio::test]
async fn batches_arrive_as_one_array_a_flush() {
    let mut served = Served::start(4096, HubConfig::default(), &[("batch", "true")]).await;
    served.commit(&[0, 1, 2]).await;
    served.commit(&[3]).await;
    assert_eq!(served.text().await.as_array().unwrap().len(), 3);
    assert_eq!(served.text().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pings_are_answered_and_texts_ignored_while_data_flows() {
    let mut served = Served::start(4096, HubConfig::default(), &[]).await;
    served.client.send(Message::text("ignored")).await.unwrap();
    served.client.send(Message::Ping(Bytes::from_static(b"hello"))).await.unwrap();
    served.settle().await;
    assert_eq!(served.client.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"hello")));
    served.commit(&[1]).await;
    assert_eq!(served.text().await["data"]["value"], 1.0);
}

#[tokio::test]
async fn a_flood_of_pings_on_a_socket_nobody_reads_stops_by_itself_and_cuts_no_frame() {
    let mut served = Served::start(512, HubConfig::default(), &[]).await;
    served.commit(&[1, 2, 3, 5, 6, 7]).await;
    let ping = || Message::Ping(Bytes::from(vec![7; 100]));
    let mut sent = 0;
    while futures_util::FutureExt::now_or_never(served.client.send(ping())).is_some() {
        sent += 1;
        served.settle().await;
        assert!(sent < 1000, "the session reads without an end");
    }
    let (mut values, mut pongs) = (Vec::new(), 0);
    while values.len() < 6 || pongs == 0 {
        match served.client.next().await.unwrap().unwrap() {
            Message::Text(text) => values.push(serde_json::from_str::<serde_json::Value>(&text).unwrap()),
            Message::Pong(_) => pongs += 1,
            other => panic!("neither text nor pong: {other:?}"),
        }
    }
    let values: Vec<_> = values.iter().map(|text| text["data"]["value"].as_f64().unwrap()).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 5.0, 6.0, 7.0]);
}

#[tokio::test]
async fn a_slow_client_is_told_how_much_it_missed_before_what_follows() {
    let queue = QueueLimits { messages_max: 10, ..QueueLimits::default() };
    let mut served = Served::start(256, HubConfig { queue, ..HubConfig::default() }, &[]).await;
    for _ in 0..50 {
        served.commit(&[1]).await;
    }
    let (mut expected, mut lagged) = (1, 0);
    while expected <= 50 {
        let text = served.text().await;
        if text["type"] == "lagged" {
            lagged += 1;
            expected += text["dropped"].as_u64().unwrap();
        } else {
            let time: jiff::Timestamp = text["data"]["timestamp"].as_str().unwrap().parse().unwrap();
            assert_eq!(time.as_microsecond() as u64, expected);
            expected += 1;
        }
    }
    assert_eq!((lagged, expected), (1, 51));
}

#[tokio::test]
async fn too_long_a_message_closes_with_1009() {
    let mut served = Served::start(64 * 1024, HubConfig::default(), &[]).await;
    served.client.send(Message::binary(vec![0; CLIENT_MESSAGE_BYTES_MAX + 1])).await.unwrap();
    assert_eq!(served.close_code().await, 1009);
    drop(served.client);
    assert!(matches!(served.session.await.unwrap(), Ended::Protocol(ProtocolError::Capacity(_))));
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_closed_with_1002() {
    let mut served = Served::start(4096, HubConfig::default(), &[]).await;
    // A text frame without a mask.
    served.client.get_mut().write_all(&[0x81, 0x01, b'x']).await.unwrap();
    assert_eq!(served.close_code().await, 1002);
    drop(served.client);
    assert!(matches!(served.session.await.unwrap(), Ended::Protocol(_)));
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let mut served = Served::start(4096, HubConfig::default(), &[]).await;
    served.client.send(Message::Close(None)).await.unwrap();
    assert!(matches!(served.client.next().await, Some(Ok(Message::Close(_)))));
    assert!(served.client.next().await.is_none());
    drop(served.client);
    assert!(matches!(served.session.await.unwrap(), Ended::Client));
    served.worker.drain();
    assert_eq!(LiveStats::read(&served.hub.stats().sessions), 0);
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_session() {
    let served = Served::start(4096, HubConfig::default(), &[]).await;
    drop(served.client);
    assert!(matches!(served.session.await.unwrap(), Ended::Client));
}

#[tokio::test]
async fn when_the_server_stops_the_client_gets_all_it_was_sent_and_1001() {
    let mut served = Served::start(64, HubConfig::default(), &[]).await;
    served.commit(&[1, 2]).await;
    served.stop.cancel();
    served.settle().await;
    assert_eq!(served.text().await["data"]["value"], 1.0);
    assert_eq!(served.text().await["data"]["value"], 2.0);
    assert_eq!(served.close_code().await, 1001);
    drop(served.client);
    assert!(matches!(served.session.await.unwrap(), Ended::Stopping));
}

#[tokio::test]
async fn when_the_server_stops_what_still_waits_in_the_queue_goes_out_first() {
    let mut served = Served::start(64, HubConfig::default(), &[]).await;
    for _ in 0..10 {
        served.commit(&[1]).await;
    }
    served.stop.cancel();
    served.settle().await;
    for _ in 0..10 {
        assert_eq!(served.text().await["data"]["value"], 1.0);
    }
    assert_eq!(served.close_code().await, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_the_close_delays_the_stop_only_so_long() {
    let served = Served::start(4096, HubConfig::default(), &[]).await;
    let asked = Instant::now();
    served.stop.cancel();
    assert!(matches!(served.session.await.unwrap(), Ended::Stopping));
    assert!(asked.elapsed() <= Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_closed() {
    let mut served = Served::start(4096, HubConfig::default(), &[]).await;
    let started = Instant::now();
    for round in 1..=3 {
        assert!(served.client.next().await.unwrap().unwrap().is_ping());
        assert_eq!(started.elapsed().as_secs(), round * 54);
        served.client.flush().await.unwrap();
    }
    assert!(matches!(served.session.await.unwrap(), Ended::Silent));
    assert_eq!(started.elapsed().as_secs(), 4 * 54 + 60);
    assert_eq!(LiveStats::read(&served.hub.stats().sessions_stalled), 1);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_takes_nothing_is_given_up_after_a_minute() {
    let mut served = Served::start(16, HubConfig::default(), &[]).await;
    let started = Instant::now();
    served.commit(&[1]).await;
    assert!(matches!(served.session.await.unwrap(), Ended::Stalled));
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_is_not_taken_for_a_silent_one() {
    let mut served = Served::start(64, HubConfig::default(), &[]).await;
    for _ in 0..50 {
        served.commit(&[1]).await;
    }
    let started = Instant::now();
    // The ping waits behind some 7 KiB, of which the client reads 20 bytes in 10 seconds.
    while started.elapsed() < Duration::from_secs(600) {
        tokio::time::sleep(Duration::from_secs(10)).await;
        served.client.get_mut().read_exact(&mut [0; 20]).await.unwrap();
    }
    served.settle().await;
    assert!(!served.session.is_finished());
}

/// Sends for ever. A permit is taken for as long as a statement would run, in the midst of which it is pending once.
#[derive(Debug)]
struct EndlessPast {
    statements: tokio::sync::Semaphore,
    finished: std::sync::atomic::AtomicU64,
}

impl Replay for EndlessPast {
    fn replay(&self, range: ReplayRange, into: tokio::sync::mpsc::Sender<Vec<Sample>>) -> ReplayFuture<'_> {
        Box::pin(async move {
            let sample = Sample { series: Arc::clone(&directory().0[1]), time: Micros(1), value: 1.0 };
            loop {
                let statement = self.statements.acquire().await.unwrap();
                tokio::task::yield_now().await;
                drop(statement);
                self.finished.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if into.send(vec![sample.clone(); 100]).await.is_err() {
                    return Ok(range.up_to);
                }
            }
        })
    }
}

#[tokio::test]
async fn a_replay_to_a_client_that_does_not_read_rests_between_statements_and_ends_with_the_session() {
    let past = Arc::new(EndlessPast { statements: tokio::sync::Semaphore::new(1), finished: 0.into() });
    let replays = Arc::new(Replays::new(Arc::clone(&past) as Arc<dyn Replay>));
    let since = [("since", "1970-01-01T00:00:00Z")];
    let mut served = Served::start_with(64, HubConfig::default(), &since, Some(replays)).await;
    served.commit(&[1]).await;
    served.settle().await;
    let finished = past.finished.load(std::sync::atomic::Ordering::Relaxed);
    assert!((2..10).contains(&finished), "{finished} statements for a client that reads nothing");
    assert_eq!(past.statements.available_permits(), 1, "no statement waits for the client");
    drop(served.client);
    assert_eq!(served.tasks.stop(Duration::from_secs(10)).await, Ok(()));
    assert_eq!(past.statements.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_replay_beyond_those_there_may_be_waits_and_is_then_asked_to_come_again() {
    let past = Arc::new(EndlessPast { statements: tokio::sync::Semaphore::new(100), finished: 0.into() });
    let replays = Arc::new(Replays::new(past as Arc<dyn Replay>));
    let since = [("since", "1970-01-01T00:00:00Z")];
    let start = || Served::start_with(64, HubConfig::default(), &since, Some(Arc::clone(&replays)));
    let mut replaying = Vec::new();
    for _ in 0..REPLAYS_MAX {
        let mut served = start().await;
        served.commit(&[1]).await;
        replaying.push(served);
    }
    let started = Instant::now();
    let mut beyond = start().await;
    assert_eq!(beyond.close_code().await, 1013);
    assert_eq!(started.elapsed().as_secs(), 10);
    drop(replaying.pop());
    let mut next = start().await;
    next.commit(&[1]).await;
    assert_eq!(next.text().await["data"]["value"], 1.0);
}

#[tokio::test]
async fn what_cannot_be_served_is_closed_with_the_reason() {
    let mut full = Served::start(4096, HubConfig { sessions_max: 0, ..HubConfig::default() }, &[]).await;
    assert_eq!(full.close_code().await, 1013);
    let mut replay = Served::start(4096, HubConfig::default(), &[("since", "2025-11-20T10:00:00Z")]).await;
    assert_eq!(replay.close_code().await, 1003);
}

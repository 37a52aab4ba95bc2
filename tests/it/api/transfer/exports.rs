//! What an export holds, in which order, and how it comes over the wire.

use std::io::Read;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::clock::ManualClock;
use millrace::codec::samples_row;
use millrace::model::{Micros, SeriesId};
use millrace::store::database::PoolConfig;
use millrace::store::levels::samples::{self, StoredSamples};
use millrace::store::partitions::{self, Monthly};
use millrace::store::{Database, Transaction};

use super::{EXPORT, NOW, TIMES_US, export, import_all, line, start, start_with};
use crate::harness::client::Client;
use crate::harness::{TestCluster, TestServer};

const HOUR_US: i64 = 3_600_000_000;
const BEGIN_US: i64 = TIMES_US.start / HOUR_US * HOUR_US;

/// More series than are looked up at once, and samples enough for several portions.
async fn start_with_many() -> (TestServer, Vec<String>) {
    let server = start_with(&[("catalog.series_per_server_max", "2000")]).await;
    let id = server.register("server01").await;
    let (mut by_time, mut by_series) = (String::new(), Vec::new());
    for second in 0..3 {
        for name in 0..1_200 {
            by_time.push_str(&line(&id, &format!("m{name:04}"), BEGIN_US + second * 1_000_000, &second.to_string()));
        }
    }
    for name in 0..1_200 {
        for second in 0..3 {
            by_series.push(line(&id, &format!("m{name:04}"), BEGIN_US + second * 1_000_000, &second.to_string()));
        }
    }
    import_all(&server, "", by_time.as_bytes()).await;
    (server, by_series)
}

#[tokio::test]
async fn series_come_one_after_the_other_each_in_order_of_time() {
    let (server, by_series) = start_with_many().await;
    let exported = export(&server, "").await;
    let lines: Vec<&str> = exported.split_inclusive('\n').collect();
    let series: Vec<String> = lines.chunks(3).map(<[&str]>::concat).collect();
    // Series are in the order of their numbers, which PostgreSQL gave them.
    assert_eq!(in_order(series), in_order(by_series.chunks(3).map(<[String]>::concat)));
    let from = format!("metric_name=m0007,m1100&from={}", super::rfc3339(BEGIN_US + 1_000_000));
    let some = [22, 23, 3301, 3302].map(|place| by_series[place].clone());
    let exported = export(&server, &from).await;
    assert_eq!(in_order(exported.split_inclusive('\n').map(str::to_owned)), in_order(some));
    assert_eq!(export(&server, "metric_name=nothing").await, "");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_is_compressed_as_the_client_asks() {
    let (server, by_series) = start_with_many().await;
    for (headers, query, coding) in [
        (vec![("accept-encoding", "gzip")], "", Some("gzip")),
        (vec![("accept-encoding", "gzip, zstd")], "", Some("zstd")),
        (vec![("accept-encoding", "gzip")], "compress=none", None),
        (vec![], "compress=gzip", Some("gzip")),
        (vec![], "compress=zstd", Some("zstd")),
    ] {
        let answer = server.send(Method::GET, &format!("{EXPORT}?{query}"), &headers, b"").await;
        assert_eq!((answer.status, answer.header("content-encoding")), (StatusCode::OK, coding), "{headers:?} {query}");
        let mut text = String::new();
        match coding {
            Some("gzip") => flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap(),
            Some(_) => zstd::Decoder::new(&answer.body[..]).unwrap().read_to_string(&mut text).unwrap(),
            None => answer.body.as_slice().read_to_string(&mut text).unwrap(),
        };
        let lines = text.split_inclusive('\n').map(str::to_owned);
        assert!(in_order(lines) == in_order(by_series.clone()), "{headers:?} {query}");
    }
    let answer = server.get(&format!("{EXPORT}?compress=br")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn all_levels_are_one_and_the_upper_one_is_right() {
    let server = start().await;
    let id = server.register("server01").await;
    // The series gets its number.
    import_all(&server, "", line(&id, "a", BEGIN_US, "0").as_bytes()).await;
    import_all(&server, "", line(&id, "a", BEGIN_US + 5, "0").as_bytes()).await;
    let rows = |places: &[i64], value: f64| {
        let times: Vec<Micros> = places.iter().map(|place| Micros(BEGIN_US + place)).collect();
        let values = vec![value; times.len()];
        vec![StoredSamples { series: SeriesId(1), row: samples_row::encode(&times, &values) }]
    };
    in_levels(&server, BEGIN_US, async |transaction| {
        samples::append(transaction, &rows(&[0, 1, 2, 3], 2.0)).await.unwrap();
        samples::append_recent(transaction, 0, 1, &rows(&[1, 2, 4, 5], 1.0)).await.unwrap();
    })
    .await;
    let expected: String = [(0, "0"), (1, "1"), (2, "1"), (3, "2"), (4, "1"), (5, "0")]
        .map(|(place, value)| line(&id, "a", BEGIN_US + place, value))
        .concat();
    assert_eq!(export(&server, "").await, expected);
    server.stop().await.unwrap();
}

const HOURS: i64 = 150;
const AN_HOUR: i64 = 4_000;

/// Rows of the first series, each value its place.
fn long_rows() -> Vec<StoredSamples> {
    (0..HOURS)
        .map(|hour| {
            let times: Vec<Micros> =
                (0..AN_HOUR).map(|place| Micros(BEGIN_US + hour * HOUR_US + place * 900_000)).collect();
            let values: Vec<f64> = (0..AN_HOUR).map(|place| (hour * AN_HOUR + place) as f64).collect();
            StoredSamples { series: SeriesId(1), row: samples_row::encode(&times, &values) }
        })
        .collect()
}

#[tokio::test]
async fn an_export_that_cannot_go_on_does_not_look_whole() {
    let cluster = TestCluster::own().await;
    let config = cluster.config("postgres");
    let clock = Arc::new(ManualClock::at(Micros::parse_rfc3339(NOW.as_bytes()).unwrap()));
    let server = TestServer::start_on(&config, &[("database.wait_timeout", "1s")], clock).await;
    let id = server.register("server01").await;
    import_all(&server, "", line(&id, "a", BEGIN_US + HOURS * HOUR_US, "7").as_bytes()).await;
    into_levels(&config, BEGIN_US, async |transaction| samples::append(transaction, &long_rows()).await.unwrap()).await;
    let mut client = Client::connect(server.address).await;
    client.send(format!("GET {EXPORT} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200"));
    cluster.kill();
    cluster.exited().await;
    let rest = client.until_closed().await;
    assert!(rest.len() > 1 << 20, "{} bytes", rest.len());
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a part looks like the whole");
    // PostgreSQL is gone, and who stops the server is told.
    server.stop().await.ok();
}

/// Three times what a portion takes, so that it comes in stretches of time, whose ends are no seams.
#[tokio::test]
async fn a_series_of_any_length_comes_whole_and_in_order() {
    let server = start().await;
    let id = server.register("server01").await;
    import_all(&server, "", line(&id, "a", BEGIN_US + HOURS * HOUR_US, "7").as_bytes()).await;
    in_levels(&server, BEGIN_US, async |transaction| samples::append(transaction, &long_rows()).await.unwrap()).await;
    let text = export(&server, "").await;
    let values =
        text.lines().map(|line| line.rsplit_once(':').unwrap().1.trim_end_matches('}').parse::<i64>().unwrap());
    let expected: Vec<i64> = (0..HOURS * AN_HOUR).chain([7]).collect();
    assert!(values.eq(expected), "{} lines", text.lines().count());
    server.stop().await.unwrap();
}

fn in_order(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().collect();
    texts.sort_unstable();
    texts
}

/// Writes into the levels below the journal, in months that begin with that of `time_us`.
pub(super) async fn in_levels(server: &TestServer, time_us: i64, write: impl AsyncFnOnce(&Transaction<'_>)) {
    into_levels(&server.database().config(), time_us, write).await;
}

async fn into_levels(config: &tokio_postgres::Config, time_us: i64, write: impl AsyncFnOnce(&Transaction<'_>)) {
    let database = Database::new(config.clone(), PoolConfig::default()).unwrap();
    let mut client = database.client().await.unwrap();
    partitions::make(&client, Monthly::Samples, Micros(time_us)).await.unwrap();
    partitions::make(&client, Monthly::Samples, Micros(time_us + 150 * HOUR_US)).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    write(&transaction).await;
    transaction.commit().await.unwrap();
}

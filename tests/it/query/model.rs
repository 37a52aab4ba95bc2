//! Random samples, sent in random requests with restarts in between and moved from level to level at random, and random
//! questions about them, compared with a sorted map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace::clock::SystemClock;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::harness::agents::{rfc3339, sample_of};
use crate::harness::{Moves, TestDatabase, TestServer};

const TIME_US: i64 = 1_763_632_800_000_000;
const SERVERS: usize = 3;
const NAMES: [&str; 3] = ["usage", "load", "free"];
const CORES: [Option<&str>; 3] = [None, Some("0"), Some("1")];

#[derive(Clone, Debug)]
struct Sample {
    server: usize,
    name: usize,
    core: usize,
    time: i64,
    value: f64,
}

/// A series as the model tells it apart: server, name, core.
type Series = (usize, usize, usize);

#[derive(Clone, Debug)]
struct Question {
    servers: Vec<usize>,
    name: Option<usize>,
    core: Option<usize>,
    from: Option<i64>,
    to: Option<i64>,
    ascending: bool,
    limit: usize,
}

/// What happens after a request to all that was sent before it: part of it is moved down, by commits, series and hours.
#[derive(Clone, Copy, Debug)]
enum Move {
    Nothing,
    Fold { quarters: usize },
    Seal { one_in: u32 },
    EmptyJournal,
}

fn movement() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Nothing),
        4 => (1_usize..=4).prop_map(|quarters| Move::Fold { quarters }),
        2 => (1_u32..4).prop_map(|one_in| Move::Seal { one_in }),
        1 => Just(Move::EmptyJournal),
    ]
}

impl Move {
    async fn make(self, moves: &Moves) {
        match self {
            Self::Nothing => {}
            Self::Fold { quarters } => moves.fold(quarters).await,
            Self::Seal { one_in } => {
                moves.seal(|series, hour| (i64::from(series.0) + hour) % i64::from(one_in) == 0).await
            }
            Self::EmptyJournal => moves.empty_journal().await,
        }
    }
}

/// A few seconds that collide often, and now and then hours around them.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..40, 1 => -5_000_i64..5_000].prop_map(|second| TIME_US + second * 1_000_000)
}

fn sample() -> impl Strategy<Value = Sample> {
    let value = prop_oneof![any::<i32>().prop_map(f64::from), prop::num::f64::NORMAL | prop::num::f64::ZERO];
    (0..SERVERS, 0..NAMES.len(), 0..CORES.len(), time(), value).prop_map(|(server, name, core, time, value)| Sample {
        server,
        name,
        core,
        time,
        value,
    })
}

fn question() -> impl Strategy<Value = Question> {
    let servers = prop::collection::vec(0..SERVERS, 0..3);
    let (name, core) = (prop::option::of(0..NAMES.len()), prop::option::of(1..CORES.len()));
    (servers, name, core, prop::option::of(time()), prop::option::of(time()), any::<bool>(), 1_usize..60).prop_map(
        |(servers, name, core, from, to, ascending, limit)| Question {
            servers,
            name,
            core,
            from,
            to,
            ascending,
            limit,
        },
    )
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 60, ..Config::with_cases(8) })]

    #[test]
    fn pages_of_any_question_are_those_of_a_sorted_map(
        lives in prop::collection::vec(prop::collection::vec((prop::collection::vec(sample(), 1..60), movement()), 1..8), 1..3),
        questions in prop::collection::vec(question(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(&lives, &questions));
    }
}

/// Sends each life's requests to a server of its own on one database, and asks the last one.
async fn compare(lives: &[Vec<(Vec<Sample>, Move)>], questions: &[Question]) {
    let database = TestDatabase::create().await;
    let moves = Moves::of(database.config());
    let mut model: BTreeMap<(i64, Series), f64> = BTreeMap::new();
    for (place, requests) in lives.iter().enumerate() {
        let server = TestServer::start_on(&database.config(), &[], Arc::new(SystemClock)).await;
        let mut ids = Vec::new();
        for host in 0..SERVERS {
            ids.push(server.register(&format!("host{host}")).await);
        }
        for (samples, movement) in requests {
            let metrics: Vec<Value> = samples.iter().map(|sample| metric(sample, &ids)).collect();
            server.ingest(&ids[0], &json!(metrics)).await;
            let series = |sample: &Sample| (sample.server, sample.name, sample.core);
            model.extend(samples.iter().map(|sample| ((sample.time, series(sample)), sample.value)));
            movement.make(&moves).await;
            assert_eq!(latest(&server).await, expected_latest(&model, &ids));
        }
        if place + 1 == lives.len() {
            let numbers = series_numbers(&server, &ids).await;
            for question in questions {
                let expected = question.answer(&model, &numbers, &ids);
                assert_eq!(question.ask(&server, &ids).await, expected, "{question:?}");
                assert_eq!(question.ask_for_all(&server, &ids).await, expected, "{question:?}");
                assert_eq!(question.ask_for_table(&server, &ids).await, table(&expected), "{question:?}");
            }
        }
        server.stop().await.unwrap();
    }
}

/// The last value of each series, in no order.
async fn latest(server: &TestServer) -> BTreeSet<Row> {
    let answer = server.get("/api/v1/latest?metric_type=cpu").await;
    answer.text().split("{\"id\":").skip(1).map(row).collect()
}

fn expected_latest(model: &BTreeMap<(i64, Series), f64>, ids: &[String]) -> BTreeSet<Row> {
    let newest: BTreeMap<Series, (i64, f64)> =
        model.iter().map(|((time, series), value)| (*series, (*time, *value))).collect();
    let row = |((server, name, core), (time, value)): (&Series, &(i64, f64))| {
        let core = CORES[*core].map(str::to_owned);
        (ids[*server].clone(), NAMES[*name].to_owned(), core, *time, value.to_bits())
    };
    newest.iter().map(row).collect()
}

fn metric(sample: &Sample, ids: &[String]) -> Value {
    let labels = CORES[sample.core].map(|core| json!({ "core": core }));
    json!({ "server_id": ids[sample.server], "metric_type": "cpu", "metric_name": NAMES[sample.name], "labels": labels,
        "value": sample.value, "timestamp": rfc3339(sample.time) })
}

/// Rows with the same time stand in the order of their series' numbers, which the model cannot know.
async fn series_numbers(server: &TestServer, ids: &[String]) -> BTreeMap<Series, u64> {
    let answer = server.get("/api/v1/series").await.json();
    let number = |series: &Value| {
        let place = |all: &[&str], value: &Value| all.iter().position(|one| value == one).unwrap();
        let hosts: Vec<&str> = ids.iter().map(String::as_str).collect();
        let core = CORES.iter().position(|core| series["labels"].get("core").and_then(Value::as_str) == *core).unwrap();
        let identity = (place(&hosts, &series["server_id"]), place(&NAMES, &series["metric_name"]), core);
        (identity, series["id"].as_u64().unwrap())
    };
    answer["series"].as_array().unwrap().iter().map(number).collect()
}

/// A row as both sides tell it: its series by server id, name and core, its time, and the bits of its value.
type Row = (String, String, Option<String>, i64, u64);

impl Question {
    fn answer(
        &self,
        model: &BTreeMap<(i64, Series), f64>,
        numbers: &BTreeMap<Series, u64>,
        ids: &[String],
    ) -> Vec<Row> {
        let wanted = |((time, (server, name, core)), _): &(&(i64, Series), &f64)| {
            (self.servers.is_empty() || self.servers.contains(server))
                && self.name.is_none_or(|wanted| wanted == *name)
                && self.core.is_none_or(|wanted| wanted == *core)
                && self.from.is_none_or(|from| *time >= from)
                && self.to.is_none_or(|to| *time <= to)
        };
        let mut rows: Vec<_> = model.iter().filter(wanted).collect();
        rows.sort_by_key(|((time, series), _)| (*time, numbers[series]));
        if !self.ascending {
            rows.reverse();
        }
        let row = |((time, (server, name, core)), value): (&(i64, Series), &f64)| {
            let core = CORES[*core].map(str::to_owned);
            (ids[*server].clone(), NAMES[*name].to_owned(), core, *time, value.to_bits())
        };
        rows.into_iter().map(row).collect()
    }

    /// Page by page.
    async fn ask(&self, server: &TestServer, ids: &[String]) -> Vec<Row> {
        let path = format!("/api/v1/metrics?{}&limit={}", self.parameters(ids), self.limit);
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = server.get(&format!("{path}&cursor={cursor}")).await;
            let page = answer.json();
            let metrics = page["metrics"].as_array().unwrap();
            assert!(metrics.len() <= self.limit && page["count"] == metrics.len(), "{answer:?}");
            rows.extend(answer.text().split("{\"id\":").skip(1).map(row));
            match page["next_cursor"].as_str() {
                Some(next) => {
                    assert_eq!(metrics.len(), self.limit, "a page before the last is full");
                    next.clone_into(&mut cursor);
                }
                None => return rows,
            }
        }
    }

    /// As one stream.
    async fn ask_for_all(&self, server: &TestServer, ids: &[String]) -> Vec<Row> {
        let answer = server.get(&format!("/api/v1/metrics?{}&format=ndjson", self.parameters(ids))).await;
        answer.text().lines().map(|line| row(line.strip_prefix("{\"id\":").unwrap())).collect()
    }

    /// As lines of CSV.
    async fn ask_for_table(&self, server: &TestServer, ids: &[String]) -> Vec<String> {
        let answer = server.get(&format!("/api/v1/metrics?{}&format=csv", self.parameters(ids))).await;
        answer.text().lines().map(with_bits).collect()
    }

    fn parameters(&self, ids: &[String]) -> String {
        let servers: Vec<&str> = self.servers.iter().map(|server| ids[*server].as_str()).collect();
        let mut all = format!("server_id={}", servers.join(","));
        let mut add = |name: &str, value: Option<String>| {
            value.into_iter().for_each(|value| all.push_str(&format!("&{name}={value}")));
        };
        add("metric_name", self.name.map(|name| NAMES[name].to_owned()));
        add("label.core", self.core.and_then(|core| CORES[core]).map(str::to_owned));
        add("from", self.from.map(rfc3339));
        add("to", self.to.map(rfc3339));
        add("order", self.ascending.then(|| "asc".to_owned()));
        all
    }
}

/// The rows as CSV, except that the values are left as bits.
fn table(rows: &[Row]) -> Vec<String> {
    let head = "server_id,metric_type,metric_name,value,labels,timestamp".to_owned();
    let line = |(server, name, core, time, value): &Row| {
        let labels = core.as_ref().map_or("{}".to_owned(), |core| format!("\"{{\"\"core\"\":\"\"{core}\"\"}}\""));
        format!("{server},cpu,{name},{value},{labels},{}", rfc3339(*time))
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}

/// A line of CSV with the bits of its value in the value's place.
fn with_bits(line: &str) -> String {
    let cells: Vec<&str> = line.splitn(5, ',').collect();
    let Ok(value) = cells[3].parse::<f64>() else { return line.to_owned() };
    format!("{},{},{},{},{}", cells[0], cells[1], cells[2], value.to_bits(), cells[4])
}

/// A printed metric from behind the begin of its id to, at least, its end.
fn row(printed: &str) -> Row {
    let end = printed.find("Z\"}").unwrap() + "Z\"}".len();
    let text = format!("{{\"id\":{}", &printed[..end]);
    let metric: Value = serde_json::from_str(&text).unwrap();
    let ((server, name, time), value) = sample_of(&text);
    (server, name, metric["labels"]["core"].as_str().map(str::to_owned), time, value.to_bits())
}

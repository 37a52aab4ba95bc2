//! What happened, told live as it is committed, whichever node found it.
//!
//! Numbers are taken before they are committed, so they do not come in order. What is missing between two that are there
//! is looked for again until it is there, or so late that whoever took it must have given up. So nothing is left out and
//! nothing is told twice. Clocks play no part.
//!
//! Must not know who is told, nor how.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Signals;
use crate::model::Micros;
use crate::store::alerts::news::{self, NewsRow};
use crate::store::{Database, StoreError};

/// How often it is looked for what other nodes found.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Events read at once.
const PAGE_EVENTS: i64 = 500;
/// Longer than any transaction can stand still; whoever has not committed by then never will.
const MISSING_KEPT: Duration = Duration::from_secs(120);
/// Missing numbers that are looked for; of more the oldest are taken to be given up.
const MISSING_MAX: usize = 10_000;
/// How far back numbers may be missing when it begins.
const LOOKED_BACK: i64 = 1_000;

/// Who tells what happened.
pub trait Telling: Debug + Send + Sync {
    /// `server` is the one it is about; without one it is about several. `data` is JSON.
    fn tell(&self, server: Option<Uuid>, data: Vec<u8>);
}

/// Reads what happened and has it told.
#[derive(Debug)]
pub struct News {
    database: Database,
    signals: Arc<Signals>,
    telling: Arc<dyn Telling>,
}

/// What has been told.
#[derive(Debug)]
struct Told {
    newest: i64,
    /// Numbers below it that were not there, and since when they are known to be missing.
    missing: BTreeMap<i64, Instant>,
}

impl News {
    pub fn new(database: Database, signals: Arc<Signals>, telling: Arc<dyn Telling>) -> Self {
        Self { database, signals, telling }
    }

    /// Runs until `stopping` resolves. What happened before it was started is not told.
    pub async fn run(self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let mut looking = tokio::time::interval(LOOK_INTERVAL);
        looking.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            match self.look(&mut told).await {
                // There may be more.
                Ok(found) if found as i64 == PAGE_EVENTS => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "alert events cannot be read"),
            }
            tokio::select! {
                () = &mut stopping => return,
                () = self.signals.events() => {}
                _ = looking.tick() => {}
            }
        }
    }

    async fn look(&self, told: &mut Option<Told>) -> Result<usize, StoreError> {
        let client = self.database.client().await?;
        let Some(told) = told else {
            let (newest, missing) = news::begin(&client, LOOKED_BACK).await?;
            *told = Some(Told::new(newest, &missing, Instant::now()));
            return Ok(0);
        };
        told.give_up(Instant::now());
        let missing: Vec<i64> = told.missing.keys().copied().collect();
        let found = news::read(&client, told.newest, &missing, PAGE_EVENTS).await?;
        for row in &found {
            told.is_there(row.id, Instant::now());
            self.telling.tell(row.server, shown(row).to_string().into_bytes());
        }
        Ok(found.len())
    }
}

impl Told {
    fn new(newest: i64, missing: &[i64], now: Instant) -> Self {
        Self { newest, missing: missing.iter().map(|id| (*id, now)).collect() }
    }

    fn is_there(&mut self, id: i64, now: Instant) {
        if self.missing.remove(&id).is_some() {
            return;
        }
        let first = (self.newest + 1).max(id - MISSING_MAX as i64);
        self.missing.extend((first..id).map(|missing| (missing, now)));
        self.newest = self.newest.max(id);
        while self.missing.len() > MISSING_MAX {
            self.missing.pop_first();
        }
    }

    fn give_up(&mut self, now: Instant) {
        self.missing.retain(|_, since| now.duration_since(*since) < MISSING_KEPT);
    }
}

/// As subscribers are told of it.
fn shown(row: &NewsRow) -> Value {
    let mut data: Map<String, Value> = match &row.details {
        Value::Object(details) => details.clone(),
        _ => Map::new(),
    };
    let time = |time: Option<Micros>| time.map(|time| time.to_string());
    let known = json!({
        "id": row.id, "at": row.at.to_string(), "change": row.change, "severity": row.severity, "title": row.title,
        "rule_id": row.rule, "pack": row.pack, "server_id": row.server, "sample_time": time(row.sample_time),
        "value": row.value,
    });
    if let Value::Object(known) = known {
        data.extend(known);
    }
    let mut add = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            data.insert(name.to_owned(), Value::from(value.as_str()));
        }
    };
    add("rule", &row.rule_name);
    add("hostname", &row.hostname);
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads as the store does, from the numbers that are there.
    fn look(told: &mut Told, there: &[i64]) -> Vec<i64> {
        let mut found: Vec<i64> =
            there.iter().copied().filter(|id| *id > told.newest || told.missing.contains_key(id)).collect();
        found.sort_unstable();
        found.truncate(PAGE_EVENTS as usize);
        found.iter().for_each(|id| told.is_there(*id, Instant::now()));
        found
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_commits_everything_is_told_once(
            order in Just((1..=60_i64).collect::<Vec<_>>()).prop_shuffle(),
            looks in prop::collection::vec(any::<bool>(), 60),
        ) {
            let mut told = Told::new(0, &[], Instant::now());
            let (mut there, mut seen) = (Vec::new(), Vec::new());
            for (id, is_looked) in order.iter().zip(looks) {
                there.push(*id);
                if is_looked {
                    seen.extend(look(&mut told, &there));
                }
            }
            seen.extend(look(&mut told, &there));
            seen.sort_unstable();
            prop_assert_eq!(seen, (1..=60).collect::<Vec<_>>());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_commits_is_given_up_and_what_is_looked_for_is_bounded() {
        let mut told = Told::new(5, &[3], Instant::now());
        told.is_there(8, Instant::now());
        assert_eq!(told.missing.keys().copied().collect::<Vec<_>>(), [3, 6, 7]);
        tokio::time::advance(MISSING_KEPT).await;
        told.give_up(Instant::now());
        assert!(told.missing.is_empty());
        told.is_there(1_000_000_000, Instant::now());
        assert_eq!(told.missing.len(), MISSING_MAX);
    }
}

//! From the acknowledgement of a sample that crosses a threshold to the notice of it, while many others arrive.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Settings;
use crate::alerting::{self, Alerting};
use crate::clock;
use crate::histogram::{Latencies, Quantiles};
use crate::receiver::{Receiver, Told};
use crate::scenarios::{ScenarioError, Setup, complaints, run_plan};
use crate::schedule::Summary;

/// Servers whose alerts are waited for.
const SERVERS: usize = 200;
const CROSSING_PAUSE: Duration = Duration::from_millis(50);
/// How long notices are waited for after the last crossing.
const NOTICE_WAIT: Duration = Duration::from_secs(15);
const NOTICE_POLL: Duration = Duration::from_millis(20);

pub(super) struct Delivery {
    pub(super) latency: Quantiles,
    /// From sending a crossing to its acknowledgement.
    pub(super) commit: Quantiles,
    pub(super) others: Summary,
    pub(super) notices: u64,
    pub(super) failures: Vec<String>,
}

/// A sample that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    server: Uuid,
    number: u32,
    acknowledged: Instant,
}

/// Adds a rule to each of some servers and crosses their thresholds in turns.
pub(super) fn measure(setup: &mut Setup, settings: &Settings) -> Result<Delivery, ScenarioError> {
    let receiver = Receiver::start()?;
    let address = setup.server.address();
    let mut alerting = Alerting::new(address)?;
    let recipient = alerting.add_recipient("load test", &receiver.url())?;
    let servers: Vec<Uuid> = setup.fleet.hosts.iter().take(SERVERS).map(|host| host.id).collect();
    let rules: Vec<_> = servers.iter().map(|id| alerting::probe_rule(&id.to_string(), recipient)).collect();
    alerting::add_rules(address, &rules)?;
    alerting::wait_until_judged(&setup.server, settings.rules as usize + rules.len())?;
    // Creates the series, which is not what is measured.
    for server in &servers {
        if !alerting.send_probe(&server.to_string(), 0.0, clock::now_ms()) {
            return Err(ScenarioError::NothingAcknowledged("the first sample of a probe".into()));
        }
    }
    let plan = setup.open_plan(Duration::from_secs(settings.delivery_s), settings.others_per_s);
    let senders = &mut setup.senders;
    let (crossings, commit, others) = std::thread::scope(|scope| {
        let others = scope.spawn(move || run_plan("others", plan, senders));
        let (crossings, commit) = cross(&mut alerting, &servers, Duration::from_secs(settings.delivery_s));
        (crossings, commit, others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let deadline = Instant::now() + NOTICE_WAIT;
    let (latencies, mut untold) = loop {
        let (latencies, untold) = told_after(&crossings, &receiver.told());
        if untold == 0 || Instant::now() > deadline {
            break (latencies, untold);
        }
        clock::wait_until(Instant::now() + NOTICE_POLL);
    };
    untold += usize::try_from(receiver.unlisted()).unwrap_or(usize::MAX);
    let mut failures: Vec<String> = complaints("others", &others).into_iter().collect();
    if untold > 0 {
        failures.push(format!("{untold} of {} crossings were not told", crossings.len()));
    }
    let (latency, commit) = (latencies.quantiles(), commit.quantiles());
    Ok(Delivery { latency, commit, others: others.summary(), notices: receiver.notices(), failures })
}

/// One crossing after the other on a schedule, each of the next server. What is not acknowledged does not count.
fn cross(alerting: &mut Alerting, servers: &[Uuid], duration: Duration) -> (Vec<Crossing>, Latencies) {
    let (mut crossings, mut commit) = (Vec::new(), Latencies::default());
    let begin = Instant::now();
    let turns = u32::try_from(duration.as_millis() / CROSSING_PAUSE.as_millis()).unwrap_or(u32::MAX);
    for turn in 0..turns {
        clock::wait_until(begin + CROSSING_PAUSE * turn);
        let server = servers[turn as usize % servers.len()];
        // The numbers of one server are odd and even in turns.
        let number = turn / servers.len() as u32 + 1;
        let sent = Instant::now();
        if alerting.send_probe(&server.to_string(), alerting::crossing_value(number), clock::now_ms()) {
            let acknowledged = Instant::now();
            commit.record(acknowledged - sent);
            crossings.push(Crossing { server, number, acknowledged });
        }
    }
    (crossings, commit)
}

/// How long after their acknowledgement crossings were first told, and how many were not.
fn told_after(crossings: &[Crossing], told: &[Told]) -> (Latencies, usize) {
    let mut first: HashMap<(Uuid, u64), Instant> = HashMap::new();
    for one in told {
        let at = first.entry((one.server, one.value.to_bits())).or_insert(one.at);
        *at = (*at).min(one.at);
    }
    let mut latencies = Latencies::default();
    let mut untold = 0;
    for Crossing { server, number, acknowledged } in crossings {
        match first.get(&(*server, alerting::crossing_value(*number).to_bits())) {
            // The notice may come before the acknowledgement was read.
            Some(at) => latencies.record(at.saturating_duration_since(*acknowledged)),
            None => untold += 1,
        }
    }
    (latencies, untold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crossing_counts_until_its_first_notice_and_those_without_one_are_counted() {
        let (server, begin) = (Uuid::from_u128(1), Instant::now());
        let after = |ms| begin + Duration::from_millis(ms);
        let crossing = |number| Crossing { server, number, acknowledged: after(100) };
        let told = |server, number, ms| Told {
            at: after(ms),
            change: alerting::change_name(number).to_owned(),
            server,
            value: alerting::crossing_value(number),
        };
        let heard = [told(server, 1, 400), told(server, 1, 130), told(server, 2, 90), told(Uuid::nil(), 3, 110)];
        let (latencies, untold) = told_after(&[crossing(1), crossing(2), crossing(3)], &heard);
        let quantiles = latencies.quantiles();
        assert_eq!((quantiles.count, untold), (2, 1));
        assert!((quantiles.max_ms - 30.0).abs() < 0.1, "{quantiles:?}");
    }
}

//! A month of synthetic history, loaded the way an operator moves in: through the import.

use std::io::Write;
use std::time::{Duration, Instant};

use super::ScenarioError;
use crate::client::Client;
use crate::clock;
use crate::data::{Fleet, METRIC_TYPE, METRICS, TimeGrid, walk};
use crate::output;
use crate::server::Server;

const MS_PER_DAY: i64 = 86_400_000;
/// Lines of one import.
const LINES: u32 = 50_000;
const ANSWER_WAIT: Duration = Duration::from_secs(600);

/// How much history there shall be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) hosts: u32,
    pub(crate) days: i64,
    pub(crate) step_ms: i64,
    pub(crate) end_ms: i64,
}

impl History {
    /// Loads it for the first hosts of `fleet`, which are registered. Answers how many samples a second went in.
    pub(crate) fn load(self, server: &Server, fleet: &Fleet, connections: usize) -> Result<f64, ScenarioError> {
        let grid = TimeGrid { end_ms: self.end_ms, span_ms: self.days * MS_PER_DAY, step_ms: self.step_ms };
        let mut past = Fleet::new(fleet.seed, self.hosts, grid);
        let known: Vec<_> = fleet.hosts.iter().take(past.hosts.len()).map(|host| host.id).collect();
        known.iter().enumerate().for_each(|(host, id)| past.adopt(host, *id));
        let (begin, past, address) = (Instant::now(), &past, server.address());
        let hosts: Vec<usize> = (0..known.len()).collect();
        std::thread::scope(|scope| {
            let share = hosts.len().div_ceil(connections.max(1)).max(1);
            let load = |hosts: &[usize]| {
                let mut client = Client::new(address)?.waiting(ANSWER_WAIT);
                hosts.iter().try_for_each(|host| load_host(&mut client, past, *host))
            };
            let threads: Vec<_> = hosts.chunks(share).map(|hosts| scope.spawn(move || load(hosts))).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        let samples = known.len() as f64 * METRICS.len() as f64 * f64::from(past.steps_max);
        let samples_per_s = samples / begin.elapsed().as_secs_f64();
        output::line(&format!(
            "history: {} samples, {} a second",
            output::magnitude(samples),
            output::magnitude(samples_per_s)
        ));
        Ok(samples_per_s)
    }
}

fn load_host(client: &mut Client, past: &Fleet, host: usize) -> Result<(), ScenarioError> {
    let mut text = Vec::new();
    for (metric, name) in METRICS.iter().enumerate() {
        let mut values = past.walk(host, metric);
        for step in 0..past.steps_max {
            write_line(&mut text, past, host, (name, step, walk::value(values.next_cents())))?;
            if (step + 1) % LINES == 0 || step + 1 == past.steps_max {
                import(client, &text, (step % LINES) + 1)?;
                text.clear();
            }
        }
    }
    Ok(())
}

fn write_line(
    text: &mut Vec<u8>,
    past: &Fleet,
    host: usize,
    (name, step, value): (&str, u32, f64),
) -> std::io::Result<()> {
    let (id, time) = (past.hosts[host].id, clock::rfc3339_text(past.time_ms(step)));
    writeln!(
        text,
        "{{\"server_id\":\"{id}\",\"metric_type\":\"{METRIC_TYPE}\",\"metric_name\":\"{name}\",\"value\":{value},\
         \"labels\":{{}},\"timestamp\":\"{time}\"}}"
    )
}

fn import(client: &mut Client, text: &[u8], lines: u32) -> Result<(), ScenarioError> {
    let answer = client.post("/api/v1/import", "application/x-ndjson", text)?;
    let imported =
        serde_json::from_slice::<serde_json::Value>(answer.body).ok().and_then(|body| body["imported"].as_u64());
    if answer.status == 200 && imported == Some(u64::from(lines)) {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(answer.body).chars().take(300).collect();
    Err(ScenarioError::Settings(format!("an import of {lines} lines was answered {}: {said}", answer.status)))
}

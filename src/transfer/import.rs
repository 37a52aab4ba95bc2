//! Chunk after chunk to the journal: while one commits, the next is read, decoded and named.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::sleep;

use super::chunks::{CHUNK_BYTES, Chunk, Chunks, LINE_BYTES_MAX};
use super::hosts::{Asking, Hosts};
use super::report::Report;
use crate::admit::budget::{Budget, Permit};
use crate::admit::rate::{Rates, Refused};
use crate::admit::window::{self, Window};
use crate::backoff::Backoff;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::journal::{CommitError, Journal};
use crate::model::reject::Sender;
use crate::model::{Batch, Code, Intake, Micros, Reach, Whom};
use crate::rejects::{Occasion, Rejects};
use crate::store::StoreError;
use crate::telemetry::Metrics;
use crate::wire::lines::csv::{self, Columns, HeadError};
use crate::wire::lines::{LineFormat, Naming};
use crate::wire::{native, spans};

/// How long an import waits for room in the budget, and for its client's allowance, before it gives up.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(30);
const ROOM_PAUSE_MIN: Duration = Duration::from_millis(5);
const ROOM_PAUSE_MAX: Duration = Duration::from_millis(500);
/// What the text of a chunk costs once it is columns, beside itself: about as much.
const CHUNK_COST: u64 = 2;

/// Where the text comes from.
pub trait Pieces: Send {
    type Error: std::error::Error + Send + Sync + 'static;

    /// `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;

    /// What came so far, as it came.
    fn wire_bytes(&self) -> u64;
}

/// What an import goes through.
#[derive(Clone, Copy, Debug)]
pub struct Stages<'a> {
    pub catalog: &'a Catalog,
    pub journal: &'a Journal,
    pub budget: &'a Budget,
    pub rates: &'a Rates,
    pub metrics: &'a Metrics,
    pub rejects: &'a Rejects,
    pub sender: &'a Arc<Sender>,
    pub clock: &'a dyn Clock,
    pub past: Duration,
    pub future: Duration,
    /// What is beyond it is not registered.
    pub reach: &'a Reach,
    /// Which servers the hosts of lines stand for.
    pub whom: Whom<'a>,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub format: LineFormat,
    /// Whether servers are registered that lines name by their host.
    pub create_servers: bool,
    /// Whose rate is charged.
    pub peer: IpAddr,
}

/// Why an import ended before its lines did. What was committed before stays, and is in the report.
#[derive(Debug, thiserror::Error)]
pub enum ImportError<E> {
    #[error(transparent)]
    Source(E),
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error("too many bytes of request bodies are in memory")]
    NoRoom,
    #[error(transparent)]
    Rate(#[from] Refused),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An import under way.
#[derive(Debug)]
pub struct Import<'a, P> {
    stages: Stages<'a>,
    report: Report,
    prepared: Option<Prepared>,
    reader: Reader<'a, P>,
    /// Chunks go through one lane, in their order.
    affinity: u64,
    is_over: bool,
}

/// What turns pieces into batches.
#[derive(Debug)]
struct Reader<'a, P> {
    stages: Stages<'a>,
    options: Options,
    pieces: P,
    chunks: Chunks,
    columns: Option<Columns>,
    hosts: Hosts,
    intake: Intake,
    spelt: Vec<u8>,
    has_ended: bool,
    /// What the buffers of this import take.
    _held: Permit,
}

/// A chunk that is ready to be committed.
#[derive(Debug)]
struct Prepared {
    batch: Batch,
    held: Permit,
    /// Refusals of the chunk, and the last line it decides.
    refused: Report,
    server: u64,
}

impl<'a, P: Pieces> Import<'a, P> {
    /// Reads nothing yet.
    ///
    /// # Errors
    /// When there is no room for its buffers.
    pub fn new(stages: Stages<'a>, options: Options, pieces: P) -> Result<Self, ImportError<P::Error>> {
        let held = stages.budget.try_take(CHUNK_COST * CHUNK_BYTES as u64).ok_or(ImportError::NoRoom)?;
        let reader = Reader {
            stages,
            options,
            pieces,
            chunks: Chunks::new(options.format == LineFormat::Csv),
            columns: None,
            hosts: Hosts::default(),
            intake: Intake::default(),
            spelt: Vec::new(),
            has_ended: false,
            _held: held,
        };
        Ok(Self { stages, report: Report::default(), prepared: None, reader, affinity: 0, is_over: false })
    }

    /// What became of the lines so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Commits what is prepared and prepares more meanwhile. Answers whether there is more to do.
    ///
    /// # Errors
    /// See [`ImportError`]; nothing more can be done then.
    pub async fn step(&mut self) -> Result<bool, ImportError<P::Error>> {
        let (stages, affinity) = (self.stages, self.affinity);
        let prepared = self.prepared.take();
        let committing = async {
            let Some(Prepared { batch, held, refused, .. }) = prepared else { return Ok(None) };
            let samples = batch.len() as u64;
            stages.journal.commit(batch, affinity, held).await?;
            stages.metrics.ingest.samples_committed.inc_by(samples);
            Ok::<_, CommitError>(Some((samples, refused)))
        };
        let (committed, prepared) = tokio::join!(committing, self.reader.prepare());
        if let Some((samples, refused)) = committed.inspect_err(|_| self.is_over = true)? {
            self.report.imported += samples;
            self.report.decide(refused);
        }
        self.prepared = prepared.inspect_err(|_| self.is_over = true)?;
        if let Some(prepared) = self.prepared.as_ref().filter(|_| self.affinity == 0) {
            self.affinity = prepared.server;
        }
        self.is_over |= self.prepared.is_none();
        Ok(!self.is_over)
    }
}

impl<P: Pieces> Reader<'_, P> {
    /// `None` at the end.
    async fn prepare(&mut self) -> Result<Option<Prepared>, ImportError<P::Error>> {
        let Some(mut chunk) = self.chunk().await? else { return Ok(None) };
        let held = self.room(CHUNK_COST * chunk.text.len() as u64).await?;
        self.decode(&mut chunk)?;
        self.allowance().await?;
        let now = self.stages.clock.now();
        window::refuse_outside(&mut self.intake, Window::around(now, self.stages.past, self.stages.future));
        let Stages { catalog, reach, whom, .. } = self.stages;
        self.hosts.settle(Asking { catalog, reach, whom }, &mut self.intake).await?;
        let body = match self.options.format {
            LineFormat::Ndjson => &chunk.text,
            LineFormat::Csv => &self.spelt,
        };
        let resolved = catalog.resolve(body, &mut self.intake, native::identity, reach).await?;
        let metrics = self.stages.metrics;
        metrics.catalog.misses.inc_by(resolved.misses as u64);
        metrics.ingest.refused(&self.intake.verdicts);
        self.keep_refused(&chunk, now);
        let mut refused = Report { lines: chunk.last_line(), ..Report::default() };
        for line in self.chunks.too_long() {
            refused.refuse(line, Code::MalformedLine, || format!("the line is longer than {LINE_BYTES_MAX} bytes"));
        }
        refused.add(&self.intake.verdicts, chunk.first_line);
        let server = resolved.servers.first().map_or(0, |server| u64::from(server.key().0.unsigned_abs()));
        Ok(Some(Prepared { batch: resolved.batch, held, refused, server }))
    }

    fn keep_refused(&self, chunk: &Chunk, at: Micros) {
        let Stages { rejects, sender, .. } = self.stages;
        let (sender, first_item) = (Arc::clone(sender), chunk.first_line.saturating_sub(1));
        let occasion = Occasion { at, sender, dialect: "import", body: &chunk.text, first_item };
        rejects.keep(&occasion, self.intake.verdicts.listed(), spans::lines(&chunk.text));
    }

    /// The next lines, or `None` when there are no more.
    async fn chunk(&mut self) -> Result<Option<Chunk>, ImportError<P::Error>> {
        while !self.has_ended && !self.chunks.is_ready() {
            let before = self.pieces.wire_bytes();
            let piece = self.pieces.next().await.map_err(ImportError::Source)?;
            self.stages.metrics.ingest.bytes.inc_by(self.pieces.wire_bytes() - before);
            match piece {
                Some(piece) => self.chunks.push(&piece),
                None => self.has_ended = true,
            }
        }
        let chunk = if self.chunks.is_ready() { self.chunks.take() } else { self.chunks.take_rest() };
        Ok(Some(chunk).filter(|chunk| !chunk.text.is_empty()))
    }

    fn decode(&mut self, chunk: &mut Chunk) -> Result<(), HeadError> {
        let Self { intake, hosts, options, spelt, columns, .. } = self;
        intake.clear();
        hosts.forget_when_full();
        let mut adopted = |id, hostname: &[u8]| hosts.name(id, hostname);
        let mut as_it_is = |id, _: &[u8]| id;
        let naming: Naming<'_> = if options.create_servers { &mut adopted } else { &mut as_it_is };
        match (options.format, *columns) {
            (LineFormat::Ndjson, _) => native::decode_lines(&mut chunk.text, intake, naming),
            (LineFormat::Csv, Some(columns)) => csv::decode(&chunk.text, columns, spelt, intake, naming),
            (LineFormat::Csv, None) => {
                let (found, end) = csv::head(&chunk.text)?;
                *columns = Some(found);
                chunk.first_line += memchr::memchr_iter(b'\n', &chunk.text[..end]).count() as u64;
                chunk.text.drain(..end);
                csv::decode(&chunk.text, found, spelt, intake, naming);
            }
        }
        Ok(())
    }

    /// Waits for room in the budget, with nothing read meanwhile.
    async fn room(&self, bytes: u64) -> Result<Permit, ImportError<P::Error>> {
        let (started, mut backoff) = (Instant::now(), Backoff::new(ROOM_PAUSE_MIN, ROOM_PAUSE_MAX));
        loop {
            match self.stages.budget.try_take(bytes) {
                Some(permit) => return Ok(permit),
                None if started.elapsed() < ROOM_WAIT_MAX => sleep(backoff.pause()).await,
                None => return Err(ImportError::NoRoom),
            }
        }
    }

    /// Charges the client for the chunk, and waits until it has something left.
    async fn allowance(&self) -> Result<(), Refused> {
        let started = Instant::now();
        let samples = self.intake.points.len() as u64;
        loop {
            match self.stages.rates.admit(self.options.peer, samples, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(refused) if started.elapsed() + refused.retry_after > ROOM_WAIT_MAX => return Err(refused),
                Err(refused) => sleep(refused.retry_after).await,
            }
        }
    }
}

//! `GET /api/v1/export`: every sample of the chosen series, a line each, in order of (series, time).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use uuid::Uuid;

use super::{Answering, Services};
use crate::http::streamed_body::{self, BodyWriter};
use crate::http::{ApiError, Coding, Compressor, Request, response};
use crate::model::Reach;
use crate::query::{Export, ExportRequest, ExportedSeries};
use crate::store::servers;
use crate::wire::lines::write::LineWriter;

/// What waits for a client that is slower than we are.
const STREAM_BYTES_MAX: u32 = 512 * 1024;
/// Lines are handed on in pieces of about this size, before compression.
const PIECE_BYTES: usize = 64 * 1024;

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn export(services: Arc<Services>, request: Request) -> Answering {
    Box::pin(async move {
        let query = request.query()?;
        let reach = request.principal.reach.clone();
        let asked = ExportRequest::parse(query.pairs(), services.clock.now(), &reach)?;
        let coding = match query.get("compress").filter(|name| !name.is_empty()) {
            Some(name) => Coding::named(name)
                .ok_or_else(|| ApiError::bad_request("bad_parameter", "compress is none of gzip, zstd, none"))?,
            None => Coding::accepted(&request.headers),
        };
        let lines = LineWriter::new(asked.format, asked.with_hostname);
        let (content_type, with_hostname) = (asked.format.content_type(), asked.with_hostname);
        let mut export = Export::new(Arc::clone(&services.query), asked);
        // Read before the answer begins, so what is wrong with the question still gets its own status.
        let first = export.next().await?;
        let (writer, body) = streamed_body::channel(STREAM_BYTES_MAX);
        let compressor = Compressor::new(coding).map_err(ApiError::internal)?;
        let readers = services.readers.clone();
        let hostnames = with_hostname.then(HashMap::new);
        let mut streaming = Streaming { services, reach, lines, hostnames, compressor, writer, out: Vec::new() };
        drop(readers.spawn("export", async move {
            // Dropping the writer breaks the transfer off: a part never looks like the whole.
            if let Err(error) = streaming.portions(export, first).await {
                return tracing::warn!(%error, "export broken off");
            }
            if let Err(error) = streaming.finish().await {
                tracing::debug!(%error, "export not taken to its end");
            }
        }));
        let mut answer = response::streamed(StatusCode::OK, content_type, body);
        let headers = answer.headers_mut();
        headers.insert(VARY, ACCEPT_ENCODING.into());
        coding.header().map(|coding| headers.insert(CONTENT_ENCODING, coding));
        Ok(answer)
    })
}

struct Streaming {
    services: Arc<Services>,
    reach: Reach,
    lines: LineWriter,
    /// Of the servers met so far, when lines name them.
    hostnames: Option<HashMap<Uuid, String>>,
    compressor: Compressor,
    writer: BodyWriter,
    /// Lines that were not handed on yet.
    out: Vec<u8>,
}

impl Streaming {
    async fn portions(&mut self, mut export: Export, first: Option<Vec<ExportedSeries>>) -> Result<(), Failure> {
        self.out.extend_from_slice(self.lines.head().as_bytes());
        let mut portion = first;
        while let Some(series) = portion {
            for one in &series {
                self.series(one).await?;
            }
            portion = export.next().await?;
        }
        Ok(())
    }

    async fn series(&mut self, exported: &ExportedSeries) -> Result<(), Failure> {
        let hostname = self.hostname(exported.series.server_id).await?;
        self.lines.begin(&exported.series, &hostname);
        for (time, value) in exported.times.iter().zip(&exported.values) {
            self.lines.sample(*time, *value, &mut self.out);
            if self.out.len() >= PIECE_BYTES {
                let piece = self.compressor.push(std::mem::take(&mut self.out))?;
                self.writer.write(Bytes::from(piece)).await?;
                tokio::task::consume_budget().await;
            }
        }
        Ok(())
    }

    /// Empty when lines do not name it, or the server is gone.
    async fn hostname(&mut self, server_id: Uuid) -> Result<String, Failure> {
        let Some(known) = &mut self.hostnames else { return Ok(String::new()) };
        if let Some(hostname) = known.get(&server_id) {
            return Ok(hostname.clone());
        }
        let client = self.services.database.client().await?;
        let found = servers::list(&client, Some(server_id), &self.reach).await?;
        let hostname = found.into_iter().next().map(|server| server.registration.hostname).unwrap_or_default();
        known.insert(server_id, hostname.clone());
        Ok(hostname)
    }

    async fn finish(mut self) -> Result<(), Failure> {
        let piece = self.compressor.push(std::mem::take(&mut self.out))?;
        self.writer.write(Bytes::from(piece)).await?;
        self.writer.write(Bytes::from(self.compressor.finish()?)).await?;
        self.writer.finish().await?;
        Ok(())
    }
}

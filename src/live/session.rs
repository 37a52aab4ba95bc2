//! One WebSocket session: sends what its feed brings, answers the protocol, ends when the client, the server or time
//! says so.
//!
//! The protocol library reads and answers; frames with data are written by the session itself, as the shared bytes
//! they already are. Both meet in [`Outgoing`], which only ever holds whole frames, so neither cuts into the other.
//! A session waits on its own socket only: whatever it does costs no other session anything. What the client sends
//! is checked against the protocol and ignored. Knows nothing of how the upgrade came about.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError as Violation;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as ProtocolError, Message};
use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use super::heartbeat::{Due, Heartbeat, HeartbeatConfig};
use super::hub::{Hub, SubscribeError};
use super::inbound::Inbound;
use super::outgoing::Outgoing;
use super::replay::{AttachError, ReplayError, Replays};
use super::request::Wanted;
use super::stats::LiveStats;
use crate::shutdown::Tasks;

/// Longest message a client may send. It has nothing to say, and this is memory each socket may come to hold.
const CLIENT_MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Data handed to the socket at one time; what is beyond stays in the queue, where it can still be dropped.
const OUTGOING_BYTES_MAX: usize = 64 * 1024;
/// While this many bytes of answers wait for the socket nothing is read, so a flood of pings stops by itself.
const REPLY_BYTES_MAX: usize = 1024;
const READ_BUFFER_BYTES: usize = 512;

/// Everything a session needs beside its socket.
#[derive(Clone, Debug)]
pub struct SessionSetup {
    pub hub: Arc<Hub>,
    /// Without one, a client that asks for `since=` is told so and closed.
    pub replays: Option<Arc<Replays>>,
    pub wanted: Wanted,
    pub heartbeat: HeartbeatConfig,
    /// What the session starts beside itself belongs to this group.
    pub tasks: Tasks,
    /// Cancelled when who opened it is not let in any more.
    pub dismissed: CancellationToken,
}

/// Why a session ended.
#[derive(Debug)]
pub enum Ended {
    /// The client closed, or hung up.
    Client,
    /// The server stops.
    Stopping,
    /// Who opened it is not let in any more.
    Dismissed,
    /// The socket took nothing for too long.
    Stalled,
    /// The client did not answer a ping.
    Silent,
    /// The client broke the protocol or sent too long a message.
    Protocol(ProtocolError),
    /// It could not be served.
    Refused(AttachError),
    Io(io::Error),
}

/// Serves an upgraded socket until it ends, at the latest a close time after `stopping` resolves.
pub async fn serve<S>(io: S, setup: SessionSetup, stopping: impl Future<Output = ()>) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let stats = Arc::clone(setup.hub.stats());
    let (reader, writer) = tokio::io::split(io);
    let protocol = WebSocketStream::from_raw_socket(Inbound::new(reader), Role::Server, Some(protocol_config())).await;
    let session = Session {
        protocol,
        writer,
        outgoing: Outgoing::default(),
        is_unflushed: false,
        heartbeat: Heartbeat::new(setup.heartbeat, Instant::now()),
    };
    let feed = Feed::start(setup.hub, setup.replays, setup.wanted, &setup.tasks);
    let ended = session.run(feed, stopping, setup.dismissed).await;
    if matches!(ended, Ended::Stalled | Ended::Silent) {
        LiveStats::add(&stats.sessions_stalled, 1);
    }
    tracing::debug!(?ended, "live session ended");
    ended
}

struct Session<S> {
    protocol: WebSocketStream<Inbound<ReadHalf<S>>>,
    writer: WriteHalf<S>,
    outgoing: Outgoing,
    /// Written, but perhaps kept back by a layer such as TLS.
    is_unflushed: bool,
    heartbeat: Heartbeat,
}

/// What a turn of the loop waited for.
enum Turn {
    Stop,
    Dismiss,
    Read(Option<Result<Message, ProtocolError>>),
    Wrote(io::Result<()>),
    Fed(Result<(), AttachError>),
    Time,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn run(mut self, mut feed: Feed, stopping: impl Future<Output = ()>, dismissed: CancellationToken) -> Ended {
        tokio::pin!(stopping);
        let timer = tokio::time::sleep_until(self.heartbeat.next());
        tokio::pin!(timer);
        loop {
            let may_read = self.protocol.get_ref().reply_bytes() <= REPLY_BYTES_MAX;
            let is_writing = self.is_unflushed || self.outgoing.has_remaining();
            let turn = tokio::select! {
                () = &mut stopping => Turn::Stop,
                () = dismissed.cancelled() => Turn::Dismiss,
                message = self.protocol.next(), if may_read => Turn::Read(message),
                wrote = write_some(&mut self.writer, &mut self.outgoing), if is_writing => Turn::Wrote(wrote),
                fed = feed.ready(), if !is_writing => Turn::Fed(fed),
                () = &mut timer => Turn::Time,
            };
            if let Some(ended) = self.take(turn, &mut feed).await {
                if matches!(ended, Ended::Stopping) {
                    // What was committed while the server stops is worth waiting for, as long as a close may take.
                    feed.move_into(&mut self.outgoing, usize::MAX);
                }
                // From here on nothing is queued for a client that will not get it.
                drop(feed);
                return self.end(ended).await;
            }
            self.begin_writing();
            if timer.is_elapsed() || self.heartbeat.next() < timer.deadline() {
                timer.as_mut().reset(self.heartbeat.next());
            }
        }
    }

    async fn take(&mut self, turn: Turn, feed: &mut Feed) -> Option<Ended> {
        match turn {
            Turn::Stop => Some(Ended::Stopping),
            Turn::Dismiss => Some(Ended::Dismissed),
            Turn::Read(None) => Some(Ended::Client),
            Turn::Read(Some(Ok(_))) => {
                self.heartbeat.heard();
                // Puts the answer the library has ready where it is written from. It cannot wait: see `Inbound`.
                self.protocol.flush().await.err().map(Ended::Protocol)
            }
            Turn::Read(Some(Err(ProtocolError::Protocol(Violation::ResetWithoutClosingHandshake)))) => {
                Some(Ended::Client)
            }
            Turn::Read(Some(Err(ProtocolError::Io(error)))) => Some(Ended::Io(error)),
            Turn::Read(Some(Err(error))) => Some(Ended::Protocol(error)),
            Turn::Wrote(Ok(())) => {
                self.is_unflushed = self.outgoing.has_remaining();
                self.heartbeat.wrote(Instant::now(), self.is_unflushed);
                if !self.is_unflushed {
                    feed.written();
                }
                None
            }
            Turn::Wrote(Err(error)) => Some(Ended::Io(error)),
            Turn::Fed(Ok(())) => {
                feed.move_into(&mut self.outgoing, OUTGOING_BYTES_MAX);
                None
            }
            Turn::Fed(Err(error)) => Some(Ended::Refused(error)),
            Turn::Time => self.take_time().await,
        }
    }

    async fn take_time(&mut self) -> Option<Ended> {
        match self.heartbeat.due(Instant::now()) {
            Due::Nothing => None,
            Due::Ping => self.protocol.send(Message::Ping(Bytes::new())).await.err().map(Ended::Protocol),
            Due::Stalled => Some(Ended::Stalled),
            Due::Silent => Some(Ended::Silent),
        }
    }

    /// Once all is written the answers of the protocol go next, before more data. So a client that does not read gets
    /// no answers either, and they stay few.
    fn begin_writing(&mut self) {
        if !self.outgoing.has_remaining()
            && let Some(replies) = self.protocol.get_mut().take_replies()
        {
            self.outgoing.push(replies);
        }
        if self.outgoing.has_remaining() && !self.is_unflushed {
            self.is_unflushed = true;
            self.heartbeat.writing(Instant::now());
        }
    }

    /// Says goodbye if there is anyone to hear it, and gives the client a bounded time to do the same.
    async fn end(mut self, ended: Ended) -> Ended {
        let close = match &ended {
            Ended::Client => None,
            Ended::Stopping => Some((CloseCode::Away, "the server stops")),
            Ended::Dismissed => Some((CloseCode::Policy, "access has ended")),
            Ended::Protocol(ProtocolError::Capacity(_)) => Some((CloseCode::Size, "the message is too long")),
            Ended::Protocol(_) => Some((CloseCode::Protocol, "")),
            Ended::Refused(error) => Some(refusal(error)),
            Ended::Stalled | Ended::Silent | Ended::Io(_) => return ended,
        };
        let deadline = self.heartbeat.close_time();
        // A client that is gone by now, or never answers, is no concern any more.
        tokio::time::timeout(deadline, self.say_goodbye(close)).await.ok();
        ended
    }

    async fn say_goodbye(&mut self, close: Option<(CloseCode, &'static str)>) -> io::Result<()> {
        if let Some((code, reason)) = close {
            let frame = CloseFrame { code, reason: reason.into() };
            self.protocol.close(Some(frame)).await.map_err(io::Error::other)?;
        }
        if let Some(replies) = self.protocol.get_mut().take_replies() {
            self.outgoing.push(replies);
        }
        while self.outgoing.has_remaining() {
            write_some(&mut self.writer, &mut self.outgoing).await?;
        }
        self.writer.shutdown().await?;
        // Closing a socket with unread data resets it, and the client may lose the close frame by that.
        let (reader, mut unread) = (self.protocol.get_mut().reader(), [0; READ_BUFFER_BYTES]);
        while reader.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

/// Writes once, and makes sure that nothing is kept back once all is written. Losing this future loses nothing.
async fn write_some<W: AsyncWrite + Unpin>(writer: &mut W, outgoing: &mut Outgoing) -> io::Result<()> {
    if outgoing.has_remaining() && writer.write_buf(outgoing).await? == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    if !outgoing.has_remaining() {
        writer.flush().await?;
    }
    Ok(())
}

fn refusal(error: &AttachError) -> (CloseCode, &'static str) {
    match error {
        AttachError::Subscribe(SubscribeError::Stopped) => (CloseCode::Away, "live push has ended"),
        AttachError::Subscribe(SubscribeError::TooManySessions) => (CloseCode::Again, "too many live sessions"),
        AttachError::Subscribe(SubscribeError::TooManyMatches) => (CloseCode::Again, "too many matching series"),
        AttachError::Subscribe(SubscribeError::Busy) => (CloseCode::Again, "busy"),
        AttachError::TooManyReplays | AttachError::Replay(ReplayError::Busy(_)) => {
            (CloseCode::Again, "too many replays")
        }
        AttachError::Replay(ReplayError::Moved) | AttachError::HubBehind => {
            (CloseCode::Restart, "the replay was overtaken, try again")
        }
        AttachError::Replay(ReplayError::Store(_)) | AttachError::Fault(_) => (CloseCode::Error, "the replay failed"),
        AttachError::Gone => (CloseCode::Normal, ""),
        AttachError::NoReplay => (CloseCode::Unsupported, "this server has no replay"),
    }
}

/// The library writes control frames only, and into memory, so its write buffer passes everything on at once.
fn protocol_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(REPLY_BYTES_MAX)
        .max_message_size(Some(CLIENT_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(CLIENT_MESSAGE_BYTES_MAX))
}

#[cfg(test)]
mod tests;

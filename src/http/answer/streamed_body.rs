//! Response bodies written piece by piece, bounded in bytes.
//!
//! - The writer waits while the client has not taken enough, so memory is constant whatever the answer's length.
//! - The body ends well only through [`BodyWriter::finish`]. A writer that is dropped, by an error or a panic, breaks
//!   the transfer off, so the client never takes a part for the whole.
//! - When the client is gone the next write says so.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::response::ResponseBody;

/// A writer and the body it writes to. At most `bytes_max` bytes wait between them.
pub fn channel(bytes_max: u32) -> (BodyWriter, ResponseBody) {
    let bytes_max = bytes_max.max(1);
    let room = Arc::new(Semaphore::new(usize::try_from(bytes_max).unwrap_or(Semaphore::MAX_PERMITS)));
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let body = StreamedBody { pieces: receiver, room: Arc::clone(&room), finished: false };
    (BodyWriter { pieces: sender, room, bytes_max }, ResponseBody::Streamed(body))
}

/// Pieces that may wait, however small: their handles cost memory too.
const PIECES_MAX: usize = 64;

#[derive(Debug)]
pub struct BodyWriter {
    pieces: mpsc::Sender<Piece>,
    room: Arc<Semaphore>,
    bytes_max: u32,
}

/// The client went away or the connection was closed; writing more is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct ClientGone;

/// The writer gave up before it was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response was broken off by its producer")]
pub struct BodyAborted;

#[derive(Debug)]
enum Piece {
    Data(Bytes, OwnedSemaphorePermit),
    End,
}

impl BodyWriter {
    /// Waits until there is room. A piece larger than the whole room goes in parts.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub async fn write(&self, mut data: Bytes) -> Result<(), ClientGone> {
        while !data.is_empty() {
            let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX).min(self.bytes_max);
            let part = data.split_to(usize::try_from(bytes).unwrap_or(data.len()).min(data.len()));
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| ClientGone)?;
            self.pieces.send(Piece::Data(part, room)).await.map_err(|_| ClientGone)?;
        }
        Ok(())
    }

    /// Ends the body well.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub async fn finish(self) -> Result<(), ClientGone> {
        self.pieces.send(Piece::End).await.map_err(|_| ClientGone)
    }
}

#[derive(Debug)]
pub struct StreamedBody {
    pieces: mpsc::Receiver<Piece>,
    room: Arc<Semaphore>,
    finished: bool,
}

impl StreamedBody {
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyAborted>>> {
        if self.finished {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Data(data, _room)) => Some(Ok(Frame::data(data))),
            Some(Piece::End) => {
                self.finished = true;
                None
            }
            None => {
                self.finished = true;
                Some(Err(BodyAborted))
            }
        })
    }
}

impl Drop for StreamedBody {
    fn drop(&mut self) {
        // Wakes a writer that waits for room; the channel closes by itself.
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn next(body: &mut ResponseBody) -> Option<Result<Bytes, BodyAborted>> {
        body.frame().await.map(|frame| frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn a_finished_body_ends_and_a_dropped_writer_breaks_it_off() {
        let (writer, mut body) = channel(10);
        writer.write(Bytes::from_static(b"abc")).await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(next(&mut body).await, Some(Ok(Bytes::from_static(b"abc"))));
        assert_eq!(next(&mut body).await, None);

        let (writer, mut body) = channel(10);
        drop(writer);
        assert_eq!(next(&mut body).await, Some(Err(BodyAborted)));
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_in_bytes() {
        let (writer, mut body) = channel(4);
        writer.write(Bytes::from_static(b"abcd")).await.unwrap();
        let mut more = std::pin::pin!(writer.write(Bytes::from_static(b"e")));
        assert!(futures_util::poll!(more.as_mut()).is_pending());
        next(&mut body).await.unwrap().unwrap();
        more.await.unwrap();
    }

    #[tokio::test]
    async fn a_piece_larger_than_the_room_goes_in_parts() {
        let (writer, mut body) = channel(4);
        let writing = async {
            writer.write(Bytes::from_static(b"abcdefghij")).await.unwrap();
            writer.finish().await.unwrap();
        };
        let reading = async {
            let mut read = Vec::new();
            while let Some(piece) = next(&mut body).await {
                read.extend_from_slice(&piece.unwrap());
            }
            read
        };
        let ((), read) = tokio::join!(writing, reading);
        assert_eq!(read, b"abcdefghij");
    }

    #[tokio::test]
    async fn a_waiting_writer_learns_that_the_client_is_gone() {
        let (writer, body) = channel(1);
        writer.write(Bytes::from_static(b"a")).await.unwrap();
        let mut more = std::pin::pin!(writer.write(Bytes::from_static(b"b")));
        assert!(futures_util::poll!(more.as_mut()).is_pending());
        drop(body);
        assert_eq!(more.await, Err(ClientGone));
    }
}

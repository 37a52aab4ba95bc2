//! A server that reads requests and answers 200 at once: what remains is the cost of the generator itself.
//!
//! One thread a connection, at most `CONNECTIONS_MAX`; further ones are closed unanswered. It ends when dropped.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

const CONNECTIONS_MAX: usize = 256;
const HEAD_BYTES_MAX: usize = 16 << 10;
const READ_BYTES: usize = 256 << 10;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n\
    {\"success\":true,\"inserted\":1000,\"failed\":0,\"duration_ms\":0  }";

#[derive(Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ending: AtomicBool,
    bytes: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Sink {
    pub(crate) fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &of_thread));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes of bodies have been read.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(crate) fn connections(&self) -> usize {
        self.shared.open.lock().unwrap().len()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // A connection that is already closed needs no closing.
            drop(stream.shutdown(Shutdown::Both));
        }
        // The acceptor looks at the flag after each connection, so one more wakes it.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            drop(acceptor.join());
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.ending.load(Ordering::Acquire) {
            return;
        }
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(handle) = stream.try_clone() else { continue };
        if open.len() == CONNECTIONS_MAX {
            continue;
        }
        open.push(handle);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || serve(stream, &shared));
    }
}

/// Answers until the connection ends or sends what is no request.
fn serve(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut buffer = vec![0; READ_BYTES];
    let mut known = 0;
    loop {
        let (head_bytes, mut left) = loop {
            if let Some(head) = head(&buffer[..known]) {
                break head;
            }
            if known > HEAD_BYTES_MAX {
                return None;
            }
            known += read(&mut stream, &mut buffer[known..])?;
        };
        shared.bytes.fetch_add(left as u64, Ordering::AcqRel);
        left -= left.min(known - head_bytes);
        while left > 0 {
            left -= left.min(read(&mut stream, &mut buffer)?);
        }
        known = 0;
        stream.write_all(ANSWER).ok()?;
    }
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<usize> {
    stream.read(buffer).ok().filter(|count| *count > 0)
}

/// Length of the head and of the body it announces.
fn head(known: &[u8]) -> Option<(usize, usize)> {
    let end = known.windows(4).take(HEAD_BYTES_MAX).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&known[..end]).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: ")).and_then(|text| text.parse().ok());
    Some((end + 4, length.unwrap_or(0)))
}

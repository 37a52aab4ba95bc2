//! One plain HTTP/1.1 request over a blocking socket, to ask a server whether it is ready.
//!
//! Enough for an image that has no other client. No TLS, no redirects, no name with several addresses tried in turn.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// For connecting, asking and the answer together.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// A status line is far shorter.
const STATUS_LINE_BYTES_MAX: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    #[error("is not a URL that can be asked; give http://host:port/path (a TLS listener cannot be asked)")]
    BadUrl,
    #[error("cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("has not answered in time, or not to the end")]
    NoAnswer(#[source] io::Error),
    #[error("is not ready: {status_line}")]
    NotReady { status_line: String },
}

/// Asks `url` and takes 200 as yes.
///
/// # Errors
/// Everything else, at the latest after `timeout`.
pub fn probe(url: &str, timeout: Duration) -> Result<(), HealthcheckError> {
    let deadline = Instant::now() + timeout;
    let (host, path) = split(url).ok_or(HealthcheckError::BadUrl)?;
    let address = resolve(host).map_err(HealthcheckError::Unreachable)?;
    let stream = TcpStream::connect_timeout(&address, timeout).map_err(HealthcheckError::Unreachable)?;
    let status_line = ask(stream, host, path, deadline).map_err(HealthcheckError::NoAnswer)?;
    if status_line.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(HealthcheckError::NotReady { status_line }) }
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic());
    (is_clean && !host.is_empty()).then_some((host, if path.is_empty() { "/" } else { path }))
}

fn resolve(host: &str) -> io::Result<SocketAddr> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let mut addresses = if has_port { host.to_socket_addrs()? } else { format!("{host}:80").to_socket_addrs()? };
    addresses.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn ask(mut stream: TcpStream, host: &str, path: &str, deadline: Instant) -> io::Result<String> {
    stream.set_write_timeout(Some(left(deadline)?))?;
    // In one piece: a server that answers the first of several and closes would reset the connection.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; STATUS_LINE_BYTES_MAX];
    loop {
        if let Some(end) = answer.iter().position(|byte| *byte == b'\r' || *byte == b'\n') {
            return Ok(String::from_utf8_lossy(&answer[..end]).into_owned());
        }
        if answer.len() > STATUS_LINE_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut chunk)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            length => answer.extend_from_slice(&chunk[..length]),
        }
    }
}

/// A socket time-out of zero would mean none.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one connection with `answer`, then hands back what it was asked.
    fn probe_against(answer: &'static [u8], timeout: Duration) -> (Result<(), HealthcheckError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/-/ready", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer).unwrap();
            if answer.is_empty() {
                // Says nothing until the client gives up.
                assert_eq!(stream.read(&mut asked).unwrap_or(0), 0);
            }
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let result = probe(&url, timeout);
        (result, server.join().unwrap())
    }

    #[test]
    fn two_hundred_is_ready_and_anything_else_is_not() {
        let (result, asked) = probe_against(b"HTTP/1.1 200 OK\r\n\r\n", TIMEOUT);
        assert!(result.is_ok());
        assert!(asked.starts_with("GET /-/ready HTTP/1.1\r\nHost: 127.0.0.1:"), "{asked}");
        let (result, _) = probe_against(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", TIMEOUT);
        assert_eq!(result.unwrap_err().to_string(), "is not ready: HTTP/1.1 503 Service Unavailable");
    }

    #[test]
    fn an_answer_that_breaks_off_or_never_ends_is_a_failure() {
        let (result, _) = probe_against(b"HTTP/1.1 200", TIMEOUT);
        assert!(matches!(result, Err(HealthcheckError::NoAnswer(_))));
        let (result, _) = probe_against(&[b'x'; 4096], TIMEOUT);
        assert!(matches!(result, Err(HealthcheckError::NoAnswer(_))));
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_in_time() {
        let (result, _) = probe_against(b"", Duration::from_millis(50));
        assert!(matches!(result, Err(HealthcheckError::NoAnswer(_))));
    }

    #[test]
    fn only_plain_http_can_be_asked() {
        for url in ["https://127.0.0.1/", "127.0.0.1:80", "http:///ready", "http://a b/"] {
            assert!(matches!(probe(url, TIMEOUT), Err(HealthcheckError::BadUrl)), "{url}");
        }
    }
}

//! One request over HTTP/1.1 on a connection of its own: no redirects, no proxies, no cookies, a bounded answer.
//!
//! A name is resolved once, the addresses are looked at, and the connection goes to one of those: a name that resolves to
//! something else a moment later changes nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address;
use super::error::DeliveryError;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Bytes of an answer that are read; the rest is not waited for.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const AGENT: &str = concat!("millrace/", env!("CARGO_PKG_VERSION"));

/// A request that is to be made.
pub(super) struct Post {
    pub(super) url: String,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The address is one of the settings, which may be anywhere.
    pub(super) is_ours: bool,
}

/// What came back.
pub(super) struct Answered {
    pub(super) host: String,
    pub(super) status: u16,
    /// Empty where it was taken.
    pub(super) body: Vec<u8>,
}

/// Makes requests.
pub(super) struct Web {
    tls: TlsConnector,
    private_targets: bool,
}

/// A URL, taken apart.
struct Target {
    host: String,
    port: u16,
    is_secure: bool,
    /// As the `Host` header has it.
    authority: String,
    path: String,
}

impl Post {
    pub(super) fn json(url: &str, body: &serde_json::Value) -> Self {
        let content_type = "application/json";
        let (url, body) = (url.to_owned(), body.to_string().into_bytes());
        Self { url, content_type, headers: Vec::new(), body, is_ours: false }
    }
}

impl Web {
    pub(super) fn new(ca: &[CertificateDer<'static>], private_targets: bool) -> Result<Self, DeliveryError> {
        let mut roots = RootCertStore::empty();
        // A machine without root certificates, or with a broken one, can still use the others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(ca.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(DeliveryError::TlsSetUp)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(tls)), private_targets })
    }

    /// Makes the request and answers whether it was taken.
    pub(super) async fn send(&self, post: Post) -> Result<(), DeliveryError> {
        let Answered { host, status, .. } = self.exchange(post).await?;
        taken(host, status, None)
    }

    /// Makes the request, whatever it is answered.
    pub(super) async fn exchange(&self, post: Post) -> Result<Answered, DeliveryError> {
        let target = Target::parse(&post.url)?;
        let request = target.request(&post)?;
        let socket = self.connect(&target, post.is_ours).await?;
        let Target { host, is_secure, .. } = target;
        if !is_secure {
            return exchange(socket, request, host).await;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| DeliveryError::BadAddress("the host is none"))?;
        let secured = self.tls.connect(name, socket).await;
        let socket = secured.map_err(|cause| DeliveryError::Tls { host: host.clone(), cause })?;
        exchange(socket, request, host).await
    }

    async fn connect(&self, target: &Target, is_ours: bool) -> Result<TcpStream, DeliveryError> {
        let host = &target.host;
        let found = tokio::net::lookup_host((host.as_str(), target.port)).await;
        let found: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
        if found.is_empty() {
            return Err(DeliveryError::NotFound { host: host.clone() });
        }
        let may_be_anywhere = is_ours || self.private_targets;
        let allowed = found.into_iter().filter(|found| may_be_anywhere || address::is_open(found.ip()));
        let mut failed = None;
        for address in allowed.take(ADDRESSES_MAX) {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(source) => failed = Some(source),
            }
        }
        Err(match failed {
            Some(source) => DeliveryError::Unreachable { host: host.clone(), source },
            None => DeliveryError::PrivateAddress { host: host.clone() },
        })
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Web").field("private_targets", &self.private_targets).finish_non_exhaustive()
    }
}

impl Target {
    fn parse(url: &str) -> Result<Self, DeliveryError> {
        let bad = DeliveryError::BadAddress;
        let uri: Uri = url.parse().map_err(|_| bad("the address is no URL"))?;
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad("the address is no http or https URL")),
        };
        let authority = uri.authority().ok_or(bad("the address names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("the address holds a user name or password"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(bad("the address names no host"));
        }
        let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, is_secure, authority: authority.as_str().to_owned(), path })
    }

    fn request(&self, post: &Post) -> Result<Request<Full<Bytes>>, DeliveryError> {
        let bad = |_| DeliveryError::BadAddress("the request cannot be written");
        let text = |text: &str| HeaderValue::try_from(text).map_err(bad);
        let mut request = Request::post(&self.path)
            .body(Full::new(Bytes::copy_from_slice(&post.body)))
            .map_err(|_| DeliveryError::BadAddress("the path cannot be written"))?;
        let headers = request.headers_mut();
        headers.insert(HOST, text(&self.authority)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(post.content_type));
        for (name, value) in &post.headers {
            headers.insert(HeaderName::from_static(name), text(value)?);
        }
        Ok(request)
    }
}

/// What a status means to who sent.
pub(super) fn taken(host: String, status: u16, reason: Option<String>) -> Result<(), DeliveryError> {
    match status {
        200..300 => Ok(()),
        300..400 => Err(DeliveryError::Redirected { host, status }),
        _ => Err(DeliveryError::Refused { host, status, reason }),
    }
}

/// Whether an address can be taken apart.
pub(super) fn check_url(url: &str) -> Result<(), DeliveryError> {
    Target::parse(url).map(drop)
}

/// Certificates from a PEM file.
pub(super) fn read_certificates(path: PathBuf) -> Result<Vec<CertificateDer<'static>>, DeliveryError> {
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(DeliveryError::Certificates { path }),
    }
}

async fn exchange<S>(socket: S, request: Request<Full<Bytes>>, host: String) -> Result<Answered, DeliveryError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |host: &str| {
        let host = host.to_owned();
        move |source| DeliveryError::Protocol { host, source }
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(failed(&host))?;
    let answering = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        // Nobody waits for more of an answer that says yes.
        let body = if answer.status().is_success() { Vec::new() } else { read(answer.into_body()).await? };
        Ok((status, body))
    };
    let (mut answering, connection) = (std::pin::pin!(answering), std::pin::pin!(connection));
    // The connection moves the bytes. When it ends first, what it read is still to be looked at.
    let answered = tokio::select! {
        biased;
        answered = &mut answering => Some(answered),
        _ = connection => None,
    };
    let answered = match answered {
        Some(answered) => answered,
        None => answering.await,
    };
    let (status, body) = answered.map_err(failed(&host))?;
    Ok(Answered { host, status, body })
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            let room = ANSWER_BYTES_MAX - read.len();
            read.extend_from_slice(&data[..data.len().min(room)]);
        }
        if read.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_http_url_is_refused_and_so_are_credentials_in_it() {
        for bad in ["", "ftp://a/b", "/path", "http:///x", "https://ann:hunter2@host/", "http://", "a b"] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
        for good in ["http://host", "https://host:8443/a?b=c", "http://[::1]:80/", "https://1.2.3.4/x"] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        let target = Target::parse("https://[2001:db8::1]/a?b").unwrap();
        let parts = (target.host.as_str(), target.port, target.authority.as_str(), target.path.as_str());
        assert_eq!(parts, ("2001:db8::1", 443, "[2001:db8::1]", "/a?b"));
    }
}

//! TLS: both protocols, certificates replaced while running, broken ones refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use millrace::http::tls::{Tls, TlsError};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::harness::{Client, Server, config, soon, start_with};

/// A directory that is gone when the test is.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("millrace-tls-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    /// Writes a new pair and gives back the certificate to trust.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    fn load(&self) -> Arc<Tls> {
        Arc::new(Tls::load(&self.certificate(), &self.key()).unwrap())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

async fn connect(
    server: &Server,
    trusted: &CertificateDer<'static>,
    alpn: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let tcp = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(client)).connect(name, tcp)).await
}

async fn hello(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    text
}

#[tokio::test]
async fn both_protocols_are_negotiated_and_answered() {
    let files = Files::new("both");
    let trusted = files.renew();
    let server = start_with(&config(), Some(files.load()));
    let mut one = connect(&server, &trusted, "http/1.1").await.unwrap();
    assert!(hello(&mut one).await.ends_with("hello"));

    let two = connect(&server, &trusted, "h2").await.unwrap();
    assert_eq!(two.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let io = hyper_util::rt::TokioIo::new(two);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut requests, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    drop(server.tasks.spawn("http/2 client", connection));
    let request = hyper::Request::get("https://localhost/hello");
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(soon(requests.send_request(request)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_reload_serves_the_new_certificate_and_a_broken_one_keeps_the_old() {
    let files = Files::new("reload");
    let old = files.renew();
    let tls = files.load();
    let server = start_with(&config(), Some(Arc::clone(&tls)));
    connect(&server, &old, "http/1.1").await.unwrap();

    let new = files.renew();
    tls.reload().unwrap();
    connect(&server, &old, "http/1.1").await.unwrap_err();
    connect(&server, &new, "http/1.1").await.unwrap();

    std::fs::write(files.certificate(), "rubbish").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::NoCertificate { .. } | TlsError::Certificates { .. })));
    connect(&server, &new, "http/1.1").await.unwrap();
}

#[test]
fn a_key_that_does_not_fit_its_certificate_is_refused() {
    let (files, other) = (Files::new("fits"), Files::new("other"));
    files.renew();
    other.renew();
    let load = |key: &Path| Tls::load(&files.certificate(), key);
    assert!(load(&files.key()).is_ok());
    assert!(matches!(load(&other.key()), Err(TlsError::Unusable(_))));
    assert!(matches!(load(Path::new("/nowhere")), Err(TlsError::Key { .. })));
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_closed() {
    let files = Files::new("silent");
    files.renew();
    let mut config = config();
    config.connections.tls_handshake_timeout = Duration::from_millis(150);
    let server = start_with(&config, Some(files.load()));
    assert_eq!(Client::connect(server.address).await.until_closed().await, b"");
}

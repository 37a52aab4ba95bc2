//! Certificates from files, read again on SIGHUP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::signal::Signal;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{DataDir, Program};
use crate::harness::eventually;

struct Files(PathBuf);

impl Files {
    /// Beside the data directory, which has to be empty at first.
    fn beside(data_dir: &Path) -> Self {
        let directory = data_dir.with_extension("tls");
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    /// Writes a new pair and gives back the certificate to trust.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.0.join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(self.0.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    fn settings(&self) -> [String; 2] {
        let file = |name: &str| self.0.join(name).display().to_string();
        [format!("tls.certificate={}", file("certificate.pem")), format!("tls.key={}", file("key.pem"))]
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Asks for readiness over TLS, trusting one certificate only.
async fn is_ready(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<bool> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tcp = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, tcp).await?;
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text.starts_with("HTTP/1.1 200 "))
}

#[tokio::test]
async fn certificates_are_read_again_on_hangup_and_broken_ones_change_nothing() {
    let data_dir = DataDir::new();
    let files = Files::beside(&data_dir.0);
    let old = files.renew();
    let mut program = Program::listening(&data_dir.0, &files.settings(), "https").await;
    eventually("it answers over TLS", async || is_ready(program.address, &old).await.unwrap_or(false)).await;

    let new = files.renew();
    program.signal(Signal::SIGHUP);
    program.until_said("certificates read again").await;
    assert!(is_ready(program.address, &new).await.unwrap());
    is_ready(program.address, &old).await.unwrap_err();

    std::fs::write(files.0.join("key.pem"), "rubbish").unwrap();
    program.signal(Signal::SIGHUP);
    program.until_said("certificates not changed").await;
    assert!(is_ready(program.address, &new).await.unwrap());
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(0));
}

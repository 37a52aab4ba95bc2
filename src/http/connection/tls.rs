//! TLS with certificates from PEM files, which can be replaced while running.
//!
//! The crypto provider is ring, named here and not installed for the process, so that no other crate's choice can
//! change ours. A reload that fails leaves what was loaded before in use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

#[derive(Debug)]
pub struct Tls {
    certificates: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read certificates from {path}")]
    Certificates { path: PathBuf, source: pem::Error },
    #[error("no certificate in {path}")]
    NoCertificate { path: PathBuf },
    #[error("cannot read a private key from {path}")]
    Key { path: PathBuf, source: pem::Error },
    #[error("the certificate and the key cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Tls {
    /// Reads the chain (leaf first) and its key.
    ///
    /// # Errors
    /// When a file cannot be read, is not PEM, or the key does not fit.
    pub fn load(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(certificates, key)?));
        Ok(Self { certificates: certificates.to_owned(), key: key.to_owned(), current })
    }

    /// Reads both files again, for connections from now on. Blocks on the file system for a moment.
    ///
    /// # Errors
    /// As [`Tls::load`]; then nothing changes.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(read(&self.certificates, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(tcp).await
    }
}

fn read(certificates: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |source| TlsError::Certificates { path: certificates.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(certificates).map_err(unreadable)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificates.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

//! Somebody on this machine who takes e-mails as RFC 5321 has it: EHLO, STARTTLS with a certificate of its own, AUTH,
//! DATA. Remembers what came.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use millrace::shutdown::Tasks;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::harness::eventually;

/// An e-mail, and how it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Mail {
    pub(super) is_secured: bool,
    /// User and password.
    pub(super) signed_in: Option<(String, String)>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) text: String,
}

#[derive(Clone)]
pub(super) struct MailServer {
    pub(super) port: u16,
    tls: TlsAcceptor,
    certificate: Arc<Certificate>,
    got: Arc<Mutex<Vec<Mail>>>,
    /// What the next recipients are answered instead of 250.
    refusals: Arc<Mutex<Vec<&'static str>>>,
    tasks: Tasks,
}

/// A file with the certificate to trust.
struct Certificate(PathBuf);

impl Drop for Certificate {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl MailServer {
    /// Answers the next recipients with `refusals`, the last of them first.
    pub(super) async fn start(refusals: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = std::env::temp_dir().join(format!("millrace-mail-{}.pem", Uuid::new_v4()));
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            tls: TlsAcceptor::from(Arc::new(tls)),
            certificate: Arc::new(Certificate(file)),
            got: Arc::default(),
            refusals: Arc::new(Mutex::new(refusals.to_vec())),
            tasks: Tasks::default(),
        };
        let accepting = server.clone();
        drop(server.tasks.spawn("mail server", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = accepting.clone();
                // Clients that do not trust the certificate go away in the midst of it.
                drop(accepting.tasks.spawn("mail connection", async move { serving.serve(socket).await.ok() }));
            }
        }));
        server
    }

    pub(super) fn certificate(&self) -> &Path {
        &self.certificate.0
    }

    /// Waits until so many e-mails have come, and answers all.
    pub(super) async fn after(&self, mails: usize) -> Vec<Mail> {
        eventually(&format!("{mails} e-mails came"), async || self.got.lock().unwrap().len() >= mails).await;
        self.got.lock().unwrap().clone()
    }

    pub(super) fn got(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    async fn serve(self, socket: TcpStream) -> std::io::Result<()> {
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(socket));
        let mut mail = Mail::default();
        stream.write_all(b"220 localhost ready\r\n").await?;
        loop {
            let line = line(&mut stream).await?;
            let (word, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            let answer = match word.to_ascii_uppercase().as_str() {
                "EHLO" if mail.is_secured => "250-localhost\r\n250 AUTH PLAIN".to_owned(),
                "EHLO" => "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN".to_owned(),
                "STARTTLS" => {
                    stream.write_all(b"220 go on\r\n").await?;
                    let secured = self.tls.accept(stream.into_inner()).await?;
                    stream = BufReader::new(Box::new(secured));
                    mail.is_secured = true;
                    continue;
                }
                "AUTH" => {
                    mail.signed_in = credentials(rest);
                    "235 welcome".to_owned()
                }
                "MAIL" => {
                    mail.from = address(rest);
                    "250 ok".to_owned()
                }
                "RCPT" => match self.refusals.lock().unwrap().pop() {
                    Some(refusal) => refusal.to_owned(),
                    None => {
                        mail.to.push(address(rest));
                        "250 ok".to_owned()
                    }
                },
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    mail.text = text(&mut stream).await?;
                    self.got.lock().unwrap().push(mail.clone());
                    "250 taken".to_owned()
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

async fn line(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn text(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}

/// What stands between the angle brackets.
fn address(rest: &str) -> String {
    rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.to_owned()).unwrap()
}

fn credentials(rest: &str) -> Option<(String, String)> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(rest.strip_prefix("PLAIN ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let mut parts = text.split('\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

//! A whole server in this process, on a free port and a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use millrace::app::App;
use millrace::auth::Access;
use millrace::clock::{Clock, SystemClock};
use millrace::config::{self, Environment, Flags};
use millrace::listen::Dialect;
use millrace::shutdown::Tasks;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::config::Host;
use tokio_util::sync::CancellationToken;

use super::TestDatabase;
use super::client::soon;
pub(crate) use super::client::{Answer, PATIENCE, exchange};

type Ran = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What servers of tests sign with.
const SECRET_KEY: &str = "0d3c4c559a520c5d2f4a9b117f0c6f0e";

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    /// Every method and path pattern it answers, and what it asks of its callers.
    pub(crate) routes: Vec<(String, &'static str, Access)>,
    /// Where it takes lines of each dialect.
    pub(crate) line_addresses: Vec<(Dialect, SocketAddr)>,
    stop: CancellationToken,
    running: JoinHandle<Ran>,
    database: Option<TestDatabase>,
}

impl TestServer {
    /// With the default settings.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], Arc::new(SystemClock)).await
    }

    /// With other settings, by their dotted keys, and another clock.
    pub(crate) async fn start_with(settings: &[(&str, &str)], clock: Arc<dyn Clock>) -> Self {
        let database = TestDatabase::create().await;
        let mut server = Self::start_on(&database.config(), settings, clock).await;
        server.database = Some(database);
        server
    }

    /// On a database of the caller's.
    pub(crate) async fn start_on(
        database: &tokio_postgres::Config,
        settings: &[(&str, &str)],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let place = [
            ("database.url", url(database)),
            ("listen", "127.0.0.1:0".to_owned()),
            ("anonymous", "all".to_owned()),
            ("secret_key", SECRET_KEY.to_owned()),
        ];
        let mut all: Vec<_> = place.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let flags = Flags { file: None, settings: all };
        let config = config::load(&flags, &Environment::default()).expect("the settings of a test are good");
        let app = App::build(&config, clock).await.expect("a server can be built");
        let address = app.addresses().unwrap()[0];
        let routes = app.routes().map(|(method, pattern, access)| (method.to_owned(), pattern, access)).collect();
        let line_addresses = app.line_addresses().unwrap();
        let stop = CancellationToken::new();
        let running = Tasks::default().spawn("server", app.run(stop.clone().cancelled_owned()));
        Self { address, routes, line_addresses, stop, running, database: None }
    }

    /// The server's own database, when it has one.
    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("this server was started on a database of the test's")
    }

    /// Ends the server as SIGTERM would, and answers what it ended with.
    pub(crate) async fn stop(self) -> Ran {
        self.stop.cancel();
        soon(self.running).await.unwrap()
    }

    /// Asks for a stop without waiting for it.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.as_bytes()).await
    }

    /// A request with this token, and a body unless it is null.
    pub(crate) async fn ask(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        self.send(method, path, &headers, body.as_bytes()).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = exchange(self.address, method, path, headers, body).await;
        answer.expect("the connection holds until the answer")
    }

    /// Bytes as they are on a connection of their own. They must ask for `connection: close`, or be refused.
    pub(crate) async fn send_bytes(&self, request: &[u8]) -> Answer {
        let exchange = async {
            let mut socket = self.connect().await;
            socket.write_all(request).await.expect("the connection holds until the request is sent");
            Answer::read(&mut socket).await
        };
        soon(exchange).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a running server accepts")
    }

    /// A number the server tells about itself.
    pub(crate) async fn gauge(&self, name: &str) -> u64 {
        let answer = self.get("/-/metrics").await;
        let is_it =
            |line: &&str| !line.starts_with('#') && line.split(' ').next().is_some_and(|key| key.contains(name));
        let line = answer.text().lines().find(is_it).unwrap_or_else(|| panic!("{name} in {}", answer.text()));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Sends an ingest request and does not wait for its answer.
    pub(crate) async fn begin_ingest(&self, body: &Value) -> TcpStream {
        let (mut socket, body) = (TcpStream::connect(self.address).await.unwrap(), body.to_string());
        let head = format!("POST /api/v1/ingest HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
        socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        socket
    }

    /// Registers a server by its hostname and answers its id.
    pub(crate) async fn register(&self, hostname: &str) -> String {
        let answer = self.post("/api/v1/servers", &json!({ "hostname": hostname, "ip_address": "10.0.0.1" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Sends metrics of one server and answers the acknowledgement.
    pub(crate) async fn ingest(&self, server_id: &str, metrics: &Value) -> Value {
        let answer = self.post("/api/v1/ingest", &json!({ "server_id": server_id, "metrics": metrics })).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }
}

/// As an operator would write it.
pub(crate) fn url(config: &tokio_postgres::Config) -> String {
    let Some(Host::Unix(directory)) = config.get_hosts().first() else {
        panic!("test clusters listen on unix sockets")
    };
    let (user, name) = (config.get_user().unwrap(), config.get_dbname().unwrap());
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("host={} port={port} user={user} dbname={name}", directory.display())
}

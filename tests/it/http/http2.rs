//! HTTP/2 with prior knowledge, by hyper's own client.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::harness::{Server, config, soon, start};

struct Client {
    requests: SendRequest<Full<Bytes>>,
    closed: tokio::task::JoinHandle<()>,
}

async fn connect(server: &Server) -> Client {
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (requests, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    // The server's group ends when the test ends, and so does this.
    let closed = server.tasks.spawn("http/2 client", async move {
        connection.await.unwrap_or_default();
    });
    Client { requests, closed }
}

impl Client {
    async fn call(&mut self, method: &str, path: &str, body: Vec<u8>) -> Response<hyper::body::Incoming> {
        let uri = format!("http://test{path}");
        let request = Request::builder().method(method).uri(uri).body(Full::new(body.into())).unwrap();
        soon(self.requests.send_request(request)).await.unwrap()
    }
}

async fn bytes(response: Response<hyper::body::Incoming>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = soon(body.frame()).await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap_or_default());
    }
    bytes
}

#[tokio::test]
async fn bulk_bodies_go_both_ways_on_many_streams() {
    let server = start(&config());
    let client = connect(&server).await;
    let calls = (0..20_u8).map(|number| {
        let mut client = Client { requests: client.requests.clone(), closed: server.tasks.spawn("none", async {}) };
        async move {
            let body = vec![number; 150_000];
            assert!(bytes(client.call("POST", "/echo", body.clone()).await).await == body);
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_body_over_the_cap_is_413_and_the_connection_goes_on() {
    let server = start(&config());
    let mut client = connect(&server).await;
    assert_eq!(client.call("POST", "/echo", vec![0; 200_001]).await.status(), 413);
    assert_eq!(bytes(client.call("GET", "/hello", Vec::new()).await).await, b"hello");
}

#[tokio::test]
async fn a_stream_that_fails_is_reset() {
    let server = start(&config());
    let mut client = connect(&server).await;
    let mut body = client.call("GET", "/broken", Vec::new()).await.into_body();
    let broken = soon(async {
        loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return true,
                None => return false,
            }
        }
    });
    assert!(broken.await);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut config = config();
    config.connections.idle_timeout = Duration::from_millis(300);
    let server = start(&config);
    let mut client = connect(&server).await;
    bytes(client.call("GET", "/hello", Vec::new()).await).await;
    soon(client.closed).await.unwrap();
}

#[tokio::test]
async fn a_drain_answers_what_is_in_flight() {
    let server = start(&config());
    let mut client = connect(&server).await;
    let answer = client.call("GET", "/held", Vec::new());
    let draining = async {
        server.gate.until_entered().await;
        server.tasks.ask_to_stop();
        server.gate.release();
    };
    let (answer, ()) = tokio::join!(answer, draining);
    assert_eq!(bytes(answer).await, b"held");
    assert_eq!(soon(server.serving).await.unwrap().connections_dropped, 0);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_an_answer_is_closed_and_the_producer_learns_it() {
    let mut config = config();
    config.connections.write_stall_timeout = Duration::from_millis(300);
    let server = start(&config);
    let mut client = connect(&server).await;
    let untaken = client.call("GET", "/endless", Vec::new()).await;
    server.gate.until_gone().await;
    soon(client.closed).await.unwrap();
    drop(untaken);
}

//! A client of live push: a WebSocket to a server of the test.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::TestServer;
use super::eventually;
use super::server::PATIENCE;

#[derive(Debug)]
pub(crate) struct LiveClient {
    socket: WebSocketStream<TcpStream>,
    /// Frames of a batch that were not asked for yet, the next one last.
    waiting: Vec<Value>,
}

impl LiveClient {
    /// Opens a session with the filter and options of a query string. It may be subscribed only a little later.
    pub(crate) async fn open(server: &TestServer, query: &str) -> Self {
        Self::open_at(server, &format!("/api/v1/stream?{query}")).await
    }

    /// Opens a session at a path.
    pub(crate) async fn open_at(server: &TestServer, path: &str) -> Self {
        let url = format!("ws://{}{path}", server.address);
        let socket = TcpStream::connect(server.address).await.expect("the server listens");
        let upgrading = tokio_tungstenite::client_async(url, socket);
        let upgraded = tokio::time::timeout(PATIENCE, upgrading).await.expect("a server upgrades in time");
        Self { socket: upgraded.expect("the upgrade is accepted").0, waiting: Vec::new() }
    }

    /// Opens a session on a server without others and waits until it is subscribed.
    pub(crate) async fn subscribe(server: &TestServer, query: &str) -> Self {
        let client = Self::open(server, query).await;
        eventually("the session is subscribed", async || {
            server.get("/-/metrics").await.text().contains("millrace_live_sessions 1\n")
        })
        .await;
        client
    }

    /// The next frame, `lagged` and others included.
    pub(crate) async fn frame(&mut self) -> Value {
        let frame = tokio::time::timeout(PATIENCE, self.next()).await.expect("a frame comes in time");
        frame.expect("the session goes on")
    }

    /// The next frame, if one comes this soon.
    pub(crate) async fn frame_within(&mut self, patience: Duration) -> Option<Value> {
        tokio::time::timeout(patience, self.next()).await.ok().map(|frame| frame.expect("the session goes on"))
    }

    /// The value of the next metric. Panics when frames were dropped on the way.
    pub(crate) async fn value(&mut self) -> f64 {
        value_of(&self.frame().await)
    }

    /// The same, however long it takes; none when the session has ended.
    pub(crate) async fn value_or_end(&mut self) -> Option<f64> {
        Some(value_of(&self.next().await?))
    }

    /// Reads to the end of the session and answers the code that the server closed it with.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let closing = async {
            while let Some(Ok(message)) = self.socket.next().await {
                if let Message::Close(frame) = message {
                    return frame.map(|frame| frame.code.into());
                }
            }
            None
        };
        tokio::time::timeout(PATIENCE, closing).await.expect("the session ends in time")
    }

    async fn next(&mut self) -> Option<Value> {
        while self.waiting.is_empty() {
            let Message::Text(text) = self.socket.next().await?.ok()? else { continue };
            self.waiting = match serde_json::from_str(&text).unwrap() {
                Value::Array(frames) => frames.into_iter().rev().collect(),
                frame => vec![frame],
            };
        }
        self.waiting.pop()
    }
}

fn value_of(frame: &Value) -> f64 {
    assert_eq!(frame["type"], "metric", "{frame}");
    frame["data"]["value"].as_f64().unwrap()
}

//! A WebSocket client of the stream.

use std::net::SocketAddr;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::server::PATIENCE;
use crate::harness::{TestServer, eventually};

pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a stream with this query string and waits until the server counts one live session more.
    pub(super) async fn subscribe(server: &TestServer, query: &str) -> Self {
        let before = sessions(server).await;
        let socket = Self::open(server.address, query, None).await;
        eventually("the session is subscribed", async || sessions(server).await > before).await;
        socket
    }

    /// Opens a stream; what is committed from now on may or may not be part of it yet.
    pub(super) async fn open(address: SocketAddr, query: &str, receive_buffer_bytes: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let socket = socket.connect(address).await.unwrap();
        let url = format!("ws://{address}/api/v1/stream?{query}");
        let (socket, answer) = tokio_tungstenite::client_async(url, socket).await.unwrap();
        assert_eq!(answer.status(), 101);
        Self(socket)
    }

    /// The next text frame; nothing once the server has closed.
    pub(super) async fn text(&mut self) -> Option<String> {
        loop {
            match self.message().await {
                Some(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                _ => return None,
            }
        }
    }

    pub(super) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await.expect("the stream goes on")).unwrap()
    }

    /// The name of the next metric, which is how these tests tell them apart.
    pub(super) async fn name(&mut self) -> String {
        let frame = self.json().await;
        assert_eq!(frame["type"], "metric", "{frame}");
        frame["data"]["metric_name"].as_str().unwrap().to_owned()
    }

    /// The code the server closes with, after what is still under way.
    pub(super) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.message().await? {
                Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                _ => continue,
            }
        }
    }

    async fn message(&mut self) -> Option<Message> {
        let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame comes in time");
        message.and_then(Result::ok)
    }
}

async fn sessions(server: &TestServer) -> u64 {
    server.gauge("live_sessions").await
}

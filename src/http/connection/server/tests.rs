//! What a connection makes of a drain that begins at the worst moment.

use hyper::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::{self as connection, Accepted};
use super::*;
use crate::auth::{Access, Gate, Principal};
use crate::http::error::ErrorShape;
use crate::http::{Request, Router, response};

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server without a listener, whose `/held` waits for a permit after giving one.
fn serving(entered: &Arc<Semaphore>) -> Arc<Serving> {
    let entered = Arc::clone(entered);
    let router = Router::builder()
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/hello", |_: Request| async {
            Ok(response::text(StatusCode::OK, "hello"))
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/held", move |_: Request| {
            entered.add_permits(1);
            std::future::pending()
        });
    let config = Config::default();
    let front = Arc::new(Front::new(router.build().unwrap(), Arc::new(Gate::new(Principal::everybody())), &config));
    Arc::new(Serving::new(front, &config, &Tasks::default()))
}

/// A client that has sent a request, and its socket as it was accepted.
async fn asked(path: &str, serving: &Serving) -> (TcpStream, Accepted) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let (tcp, peer) = listener.accept().await.unwrap();
    let permit = Arc::clone(&serving.room).acquire_owned().await.unwrap();
    (client, Accepted { tcp, peer, tls: None, permit })
}

#[tokio::test]
async fn a_request_that_came_before_the_drain_but_was_not_read_yet_is_answered() {
    let serving = serving(&Arc::new(Semaphore::new(0)));
    let (mut client, accepted) = asked("/hello", &serving).await;
    serving.stage.drain();
    tokio::time::timeout(PATIENCE, connection::run(accepted, serving)).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer:?}");
}

#[tokio::test]
async fn a_connection_that_sees_the_drain_before_it_is_told_still_hears_of_its_end() {
    let entered = Arc::new(Semaphore::new(0));
    let serving = serving(&entered);
    let (_client, accepted) = asked("/held", &serving).await;
    serving.stage.number.store(DRAINING, Ordering::Release);
    let ending = async {
        entered.acquire().await.unwrap().forget();
        serving.stage.draining.cancel();
        tokio::task::yield_now().await;
        serving.stage.abandon();
    };
    let running = connection::run(accepted, Arc::clone(&serving));
    tokio::time::timeout(PATIENCE, async { tokio::join!(running, ending) }).await.unwrap();
}

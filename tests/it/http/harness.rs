//! A served test router on a free port.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use millrace::auth::{self, Access, Principal};
use millrace::http::error::ErrorShape;
use millrace::http::response::{empty, streamed, text};
use millrace::http::server::Drained;
use millrace::http::streamed_body::{ClientGone, channel};
use millrace::http::tls::Tls;
use millrace::http::{ApiError, Config, Front, Listener, Request, Response, Router, serve};
use millrace::shutdown::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub(super) use crate::harness::client::{Client, soon};

/// The length of what `/bulk` answers: more than the buffers of the kernel hold.
pub(super) const BULK_BYTES: usize = 32 << 20;

/// Time-outs for tests that do not want any to run out.
pub(super) fn config() -> Config {
    let mut config = Config::default();
    config.body.body_bytes_max = 200_000;
    config.body.inflated_bytes_max = 1_000_000;
    config
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) tasks: Tasks,
    pub(super) gate: Arc<Gate>,
    pub(super) serving: JoinHandle<Drained>,
}

/// Lets a test hold a handler until it wants it to go on.
#[derive(Debug)]
pub(super) struct Gate {
    entered: Semaphore,
    released: Semaphore,
    gone: Semaphore,
}

impl Gate {
    pub(super) async fn until_entered(&self) {
        soon(self.entered.acquire()).await.unwrap().forget();
    }

    pub(super) fn release(&self) {
        self.released.add_permits(1);
    }

    /// Until a producer has noticed that its client is gone.
    pub(super) async fn until_gone(&self) {
        soon(self.gone.acquire()).await.unwrap().forget();
    }

    async fn pass(&self) {
        self.entered.add_permits(1);
        self.released.acquire().await.unwrap().forget();
    }
}

pub(super) fn start(config: &Config) -> Server {
    start_with(config, None)
}

pub(super) fn start_with(config: &Config, tls: Option<Arc<Tls>>) -> Server {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), tls).unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::default();
    let gate = Arc::new(Gate { entered: Semaphore::new(0), released: Semaphore::new(0), gone: Semaphore::new(0) });
    let everybody = Arc::new(auth::Gate::new(Principal::everybody()));
    let front = Arc::new(Front::new(router(&gate, &tasks), everybody, config));
    let (config, group) = (config.clone(), tasks.clone());
    let serving = tasks.spawn("serve", async move { serve(vec![listener], front, &config, group).await });
    Server { address, tasks, gate, serving }
}

fn router(gate: &Arc<Gate>, tasks: &Tasks) -> Router {
    let held = Arc::clone(gate);
    let (endless_gate, endless_tasks) = (Arc::clone(gate), tasks.clone());
    let (broken_tasks, whole_tasks, upgrade_tasks) = (tasks.clone(), tasks.clone(), tasks.clone());
    Router::builder()
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/hello", |_| async {
            Ok(text(StatusCode::OK, "hello"))
        })
        .route((Access::Open, ErrorShape::Structured), Method::POST, "/echo", echo)
        .route((Access::Open, ErrorShape::Structured), Method::POST, "/refuse", |_| async {
            Err(ApiError::forbidden("not you"))
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/panics", panics)
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/servers/{id}", |request: Request| async move {
            Ok(text(StatusCode::OK, request.param("id").unwrap_or_default().to_owned()))
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/held", move |_| {
            let gate = Arc::clone(&held);
            async move {
                gate.pass().await;
                Ok(text(StatusCode::OK, "held"))
            }
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/bulk", |_| async {
            Ok(text(StatusCode::OK, vec![b'#'; BULK_BYTES]))
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/whole", move |_| whole(whole_tasks.clone()))
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/broken", move |_| broken(broken_tasks.clone()))
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/endless", move |_| {
            endless(Arc::clone(&endless_gate), endless_tasks.clone())
        })
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/upgrade", move |request| {
            upgrade(request, upgrade_tasks.clone())
        })
        .build()
        .unwrap()
}

async fn echo(mut request: Request) -> Result<Response, ApiError> {
    let limits = request.body_limits().clone();
    let body = request.collect_body_metered(&limits, &mut |_| true).await?.read(Vec::new()).await?;
    Ok(text(StatusCode::OK, body))
}

async fn panics(_: Request) -> Result<Response, ApiError> {
    panic!("on purpose");
}

async fn whole(tasks: Tasks) -> Result<Response, ApiError> {
    let (writer, body) = channel(1_000);
    tasks.spawn("whole", async move {
        for _ in 0..100 {
            writer.write(Bytes::from_static(&[b'#'; 997])).await?;
        }
        writer.finish().await
    });
    Ok(streamed(StatusCode::OK, "text/plain", body))
}

async fn broken(tasks: Tasks) -> Result<Response, ApiError> {
    let (writer, body) = channel(1_000);
    tasks.spawn("broken", async move { writer.write(Bytes::from_static(b"a part")).await });
    Ok(streamed(StatusCode::OK, "text/plain", body))
}

async fn endless(gate: Arc<Gate>, tasks: Tasks) -> Result<Response, ApiError> {
    let (writer, body) = channel(100_000);
    tasks.spawn("endless", async move {
        while writer.write(Bytes::from_static(&[b'x'; 10_000])).await != Err(ClientGone) {}
        gate.gone.add_permits(1);
    });
    Ok(streamed(StatusCode::OK, "text/plain", body))
}

/// Switches to a protocol that gives every byte back.
async fn upgrade(mut request: Request, tasks: Tasks) -> Result<Response, ApiError> {
    let upgrade = request.upgrade().ok_or_else(|| ApiError::bad_request("no_upgrade", "this is for upgrades"))?;
    let stopping = tasks.stopping();
    tasks.spawn("upgraded", async move {
        let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
        let mut bytes = [0; 64];
        let echoing = async {
            while let Ok(count @ 1..) = io.read(&mut bytes).await {
                io.write_all(&bytes[..count]).await.unwrap();
            }
        };
        tokio::select! { () = echoing => {}, () = stopping => {} }
    });
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    response.headers_mut().insert(hyper::header::CONNECTION, "upgrade".parse().unwrap());
    response.headers_mut().insert(hyper::header::UPGRADE, "echo".parse().unwrap());
    Ok(response)
}

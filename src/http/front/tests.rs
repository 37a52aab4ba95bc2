//! What every answer has, whichever handler gave it.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::auth::Access;

async fn hello(_: Request) -> Result<Response, ApiError> {
    Ok(response::text(StatusCode::OK, "hello"))
}

async fn panics(_: Request) -> Result<Response, ApiError> {
    panic!("on purpose");
}

async fn fails(_: Request) -> Result<Response, ApiError> {
    Err(ApiError::internal("the secret cause"))
}

fn front() -> Front {
    let router = Router::builder()
        .route((Access::Open, ErrorShape::Structured), Method::GET, "/hello", hello)
        .route((Access::Open, ErrorShape::Structured), Method::POST, "/panics", panics)
        .route((Access::Open, ErrorShape::Text), Method::GET, "/fails", fails)
        .build()
        .unwrap();
    Front::new(router, Arc::new(Gate::new(Principal::everybody())), &Config::default())
}

async fn answer(front: &Front, method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Response {
    let mut request = hyper::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(RequestBody::default()).unwrap();
    front.answer(request, SocketAddr::from(([127, 0, 0, 1], 1))).await
}

fn body(response: &Response) -> &[u8] {
    match response.body() {
        ResponseBody::Full(bytes) => bytes,
        _ => &[],
    }
}

#[tokio::test]
async fn a_head_request_gets_the_length_but_not_the_body() {
    let response = answer(&front(), Method::HEAD, "/hello", &[]).await;
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "5");
    assert!(matches!(response.body(), ResponseBody::Empty));
}

#[tokio::test]
async fn a_panic_costs_a_500_and_tells_nothing() {
    let response = answer(&front(), Method::POST, "/panics", &[]).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!String::from_utf8_lossy(body(&response)).contains("on purpose"));
}

#[tokio::test]
async fn an_internal_error_is_opaque_and_in_the_shape_of_its_route() {
    let response = answer(&front(), Method::GET, "/fails", &[]).await;
    assert_eq!(body(&response), br#"{"error":"internal server error"}"#);
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let sent = answer(&front(), Method::GET, "/hello", &[("x-request-id", "abc-1")]).await;
    assert_eq!(sent.headers()[request_id::HEADER], "abc-1");
    let made = answer(&front(), Method::GET, "/nowhere", &[]).await;
    assert_eq!(made.status(), StatusCode::NOT_FOUND);
    assert_eq!(made.headers()[request_id::HEADER].len(), 16);
}

#[tokio::test]
async fn a_preflight_is_answered_for_every_path_and_echoes_the_headers_asked_for() {
    let asked = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type, x-api-key"),
    ];
    let response = answer(&front(), Method::OPTIONS, "/panics", &asked).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let headers = response.headers();
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "POST, OPTIONS");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "content-type, x-api-key");
    assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "600");
}

#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

impl Observer for Noted {
    fn answered(&self, route: &str, method: &Method, status: StatusCode, _: Duration) {
        self.0.lock().unwrap().push(format!("{method} {route} {}", status.as_u16()));
    }
}

#[tokio::test]
async fn the_observer_hears_of_every_answer_by_its_pattern() {
    let noted = Arc::new(Noted::default());
    let observer: Arc<dyn Observer> = Arc::<Noted>::clone(&noted);
    let front = front().observed_by(observer);
    answer(&front, Method::GET, "/hello?token=secret", &[]).await;
    answer(&front, Method::DELETE, "/hello", &[]).await;
    assert_eq!(*noted.0.lock().unwrap(), ["GET /hello 200", "DELETE unmatched 405"]);
    assert_eq!(front.in_flight(), 0);
}

#[tokio::test]
async fn a_body_in_memory_is_collected_like_one_from_a_socket() {
    let router = Router::builder().route(
        (Access::Open, ErrorShape::Structured),
        Method::POST,
        "/echo",
        |mut request: Request| async move {
            let limits = request.body_limits().clone();
            let body = request.collect_body_metered(&limits, &mut |_| true).await?.read(Vec::new()).await?;
            Ok(response::text(StatusCode::OK, body))
        },
    );
    let front = Front::new(router.build().unwrap(), Arc::new(Gate::new(Principal::everybody())), &Config::default());
    let request = hyper::Request::post("/echo").body(RequestBody::from_bytes(Bytes::from_static(b"abc"))).unwrap();
    let response = front.answer(request, SocketAddr::from(([127, 0, 0, 1], 1))).await;
    assert_eq!(body(&response), b"abc");
}

//! Methods, paths, ids and CORS on the wire.

use super::harness::{Client, config, start};

#[tokio::test]
async fn an_unknown_path_is_404_in_our_shape() {
    let server = start(&config());
    let answer = Client::connect(server.address).await.get("/nowhere").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.text(), r#"{"error":{"code":"not_found","details":[],"message":"no such path"}}"#);
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405_and_says_what_it_takes() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    assert_eq!(client.get("/echo").await.header("allow"), Some("POST, OPTIONS"));
    let answer = client.post("/hello", "", b"").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
}

#[tokio::test]
async fn a_parameter_of_the_path_arrives_decoded() {
    let server = start(&config());
    assert_eq!(Client::connect(server.address).await.get("/servers/a%2Fb?x=1").await.text(), "a/b");
}

#[tokio::test]
async fn head_has_the_head_of_get_and_nothing_after_it() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("HEAD /hello HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(client.answer_to_head().await.header("content-length"), Some("5"));
    client.send("HEAD /whole HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(client.answer_to_head().await.header("content-length"), None, "nobody knows the length of a stream");
    assert_eq!(client.get("/hello").await.text(), "hello", "the connection is in step");
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client
        .send(
            "OPTIONS /echo HTTP/1.1\r\nhost: test\r\norigin: https://page.example\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: x-any\r\n\r\n",
        )
        .await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-any"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn the_request_id_comes_back() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    client.send("GET /hello HTTP/1.1\r\nhost: test\r\nx-request-id: mine-7\r\n\r\n").await;
    assert_eq!(client.answer().await.header("x-request-id"), Some("mine-7"));
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_goes_on() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    assert_eq!(client.get("/panics").await.status, 500);
    assert_eq!(client.get("/hello").await.text(), "hello");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(&config());
    let mut client = Client::connect(server.address).await;
    let requests: String =
        (0..50).map(|number| format!("GET /servers/{number} HTTP/1.1\r\nhost: test\r\n\r\n")).collect();
    client.send(requests).await;
    for number in 0..50 {
        assert_eq!(client.answer().await.text(), number.to_string());
    }
}

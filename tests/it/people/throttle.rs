//! Who tries too often is sent away for a while, whoever they say they are.

use serde_json::json;

use super::*;

#[tokio::test]
async fn after_ten_wrong_passwords_an_account_is_closed_for_a_while_to_the_right_one_too() {
    let (server, clock) = start().await;
    register(&server, "bob").await;
    for _ in 0..10 {
        assert_eq!(token(&server, "bob", "wrong").await.status, 401);
    }
    for (name, password) in [("bob", "wrong"), ("BOB", "wrong"), ("bob", "correct+horse")] {
        let refused = token(&server, name, password).await;
        assert_answer(&refused, 429, &json!({ "detail": "too many attempts; try again later" }));
        assert_eq!(refused.header("retry-after"), Some("90"));
    }
    let by_form = form(&server, "/login", "email=bob&password=correct+horse", &[]).await;
    assert_eq!((by_form.status.as_u16(), by_form.header("retry-after")), (429, Some("90")));
    assert_eq!(token(&server, "root@example.org", "correct+horse").await.status, 200, "others are let in");
    clock.set(millrace::model::Micros(clock.now().0 + 90 * 1_000_000));
    assert_eq!(token(&server, "bob", "correct+horse").await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_learns_from_tries_whether_an_account_exists() {
    let (server, _) = start().await;
    register(&server, "bob").await;
    for attempt in 0..12 {
        let (known, unknown) = (token(&server, "bob", "wrong").await, token(&server, "nobody", "wrong").await);
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body), "{attempt}");
        let names = |answer: &Answer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&known), names(&unknown));
    }
    server.stop().await.unwrap();
}

//! Rules judged as samples come in: what fires and is over, once, whoever judges and whatever happens meanwhile.

mod ground; // servers, rules and what was found
mod places; // who judges
mod silence; // what does not come

use hyper::Method;
use millrace::clock::{Clock, SystemClock};
use millrace::jobs::{Context, alerts};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use self::ground::{Ground, above, pool};
use crate::harness::eventually;

#[tokio::test]
async fn a_rule_fires_and_is_over_and_both_are_in_its_history() {
    let ground = Ground::new().await;
    let rule = ground.rule(above(90)).await;
    ground.recipient().await;
    ground.samples("usage", &[(1, 50.0), (2, 95.2), (3, 99.0), (4, 90.0)]).await;
    ground.happens(&["firing", "resolved"]).await;
    let events = ground.events().await;
    assert_eq!(events[0].title, "cpu/usage of web-1 is 95.2 (> 90)");
    assert_eq!((events[0].rule, events[0].value, events[0].at_second), (rule, Some(95.2), Some(2)));
    assert_eq!(events[1].title, "cpu/usage of web-1 is 90, no longer > 90");
    assert_eq!(ground.state(rule).await.as_deref(), Some("resolved"));
    let told = ground.told().await;
    let changes: Vec<_> = told.iter().flat_map(|body| body["alerts"].as_array().unwrap()).collect();
    assert_eq!(changes.iter().map(|alert| &alert["change"]).collect::<Vec<_>>(), ["firing", "resolved"]);
    assert_eq!(changes[0]["notes"], "look there");
    ground.stop().await;
}

#[tokio::test]
async fn late_samples_change_nothing() {
    let ground = Ground::new().await;
    ground.rule(above(90)).await;
    ground.samples("usage", &[(100, 95.0)]).await;
    ground.happens(&["firing"]).await;
    ground.samples("usage", &[(50, 10.0)]).await;
    ground.samples("usage", &[(100, 10.0)]).await;
    ground.samples("usage", &[(101, 96.0), (102, 10.0)]).await;
    ground.happens(&["firing", "resolved"]).await;
    assert_eq!(ground.events().await[1].at_second, Some(102));
    ground.stop().await;
}

#[tokio::test]
async fn a_rule_that_is_changed_or_taken_away_is_judged_so_from_then_on() {
    let ground = Ground::new().await;
    let rule = ground.rule(above(90)).await;
    ground.samples("usage", &[(1, 85.0)]).await;
    ground.change(rule, above(80)).await;
    ground.samples("usage", &[(2, 85.0)]).await;
    ground.happens(&["firing"]).await;
    ground.disable(rule).await;
    eventually("how it stood is forgotten", async || ground.state(rule).await.is_none()).await;
    ground.samples("usage", &[(3, 10.0), (4, 85.0)]).await;
    ground.rule(above(70)).await;
    ground.samples("usage", &[(5, 75.0)]).await;
    ground.happens(&["firing", "firing"]).await;
    ground.stop().await;
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_costs_no_other() {
    let ground = Ground::new().await;
    ground.broken_rule(json!({ "condition": "no object" })).await;
    ground.rule(above(90)).await;
    ground.samples("usage", &[(1, 95.0)]).await;
    ground.happens(&["firing"]).await;
    assert_eq!(ground.server().gauge("alert_rules_unreadable").await, 1);
    ground.stop().await;
}

#[tokio::test]
async fn somebody_who_knows_of_it_is_not_reminded_and_it_stays_so_until_it_is_over() {
    let ground = Ground::new().await;
    let rule = ground.rule(above(90)).await;
    ground.samples("usage", &[(1, 95.0)]).await;
    ground.happens(&["firing"]).await;
    let series = ground.one("SELECT series FROM alert_states").await;
    let path = format!("/api/v1/alerts/{rule}/{series}/acknowledge");
    let answer = ground.server().post(&path, &json!({ "note": "on it" })).await;
    assert!(answer.status.is_success(), "{answer:?}");
    ground.samples("usage", &[(2, 96.0)]).await;
    assert_eq!(ground.state(rule).await.as_deref(), Some("acknowledged"));
    ground.samples("usage", &[(3, 10.0)]).await;
    ground.happens(&["firing", "acknowledged", "resolved"]).await;
    assert_eq!(ground.state(rule).await.as_deref(), Some("resolved"));
    ground.stop().await;
}

#[tokio::test]
async fn a_server_whose_labels_change_is_watched_by_other_rules_from_then_on() {
    let ground = Ground::new().await;
    let mut form = above(90);
    form["server_label"] = json!({ "env": "prod" });
    let rule = ground.rule(form).await;
    ground.samples("usage", &[(1, 95.0)]).await;
    let label = async |env: &str| {
        let body = json!({ "labels": { "env": env } }).to_string();
        let headers = [("content-type", "application/json")];
        let path = format!("/api/v1/servers/{}", ground.server_id);
        let answer = ground.server().send(Method::PATCH, &path, &headers, body.as_bytes()).await;
        assert!(answer.status.is_success(), "{answer:?}");
    };
    label("prod").await;
    let mut second = 1;
    eventually("it is watched now", async || {
        second += 1;
        ground.samples("usage", &[(second, 95.0)]).await;
        ground.state(rule).await.as_deref() == Some("firing")
    })
    .await;
    label("test").await;
    eventually("it is watched no more", async || ground.state(rule).await.as_deref() == Some("resolved")).await;
    ground.stop().await;
}

#[tokio::test]
async fn what_is_over_is_forgotten_in_the_end_and_what_fires_is_not() {
    let ground = Ground::new().await;
    ground.rule(above(90)).await;
    ground.samples("usage", &[(1, 95.0), (2, 10.0)]).await;
    ground.samples("other", &[(1, 95.0)]).await;
    ground.happens(&["firing", "resolved", "firing"]).await;
    ground.sql.batch_execute("UPDATE alert_states SET updated_at = updated_at - interval '8 days'").await.unwrap();
    ground.sql.batch_execute("UPDATE alert_events SET at = at - interval '2 days' WHERE id = 1").await.unwrap();
    let context = Context { database: pool(&ground.config), clock: Arc::new(SystemClock) as Arc<dyn Clock> };
    let removed = alerts::expire(&context, Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(removed, 2);
    assert_eq!(ground.one("SELECT count(*)::integer FROM alert_states WHERE phase = 'firing'").await, 1);
    assert_eq!(ground.one("SELECT count(*)::integer FROM alert_states").await, 1);
    ground.stop().await;
}

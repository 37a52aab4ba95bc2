//! What does not come, by a clock of the test's.

use std::sync::Arc;

use millrace::clock::{Clock, ManualClock, SystemClock};
use millrace::model::Micros;
use serde_json::json;

use super::ground::Ground;

#[tokio::test]
async fn a_series_that_falls_silent_fires_once_and_is_over_when_it_comes_back() {
    let begin = SystemClock.now();
    let clock = Arc::new(ManualClock::at(begin));
    let after = |seconds: i64| clock.set(Micros(begin.0 + seconds * Micros::PER_SECOND));
    let ground = Ground::at(Arc::<ManualClock>::clone(&clock)).await;
    ground.judges(ground.server()).await;
    ground.rule(json!({ "metric_type": "cpu", "condition": { "op": "absent", "after": "5m" } })).await;
    ground.samples("usage", &[(999, 1.0)]).await;
    after(290);
    ground.samples("usage", &[(1_290, 1.0)]).await;
    after(580);
    ground.samples("other", &[(1_580, 1.0)]).await;
    ground.happens(&[]).await;
    after(591);
    ground.happens(&["no_data"]).await;
    assert_eq!(ground.events().await[0].title, "cpu/usage of web-1 has sent nothing for 5m");
    after(595);
    ground.samples("usage", &[(1_000, 1.0)]).await;
    ground.happens(&["no_data", "resolved"]).await;
    assert_eq!(ground.events().await[1].title, "cpu/usage of web-1 is back");
    ground.stop().await;
}

#[tokio::test]
async fn a_silence_goes_on_counting_when_another_judges() {
    let mut ground = Ground::new().await;
    ground.rule(json!({ "metric_type": "cpu", "condition": { "op": "absent", "after": "2h" } })).await;
    ground.samples("usage", &[(1, 1.0)]).await;
    ground.end().await;
    // All it knows of the series is what is stored.
    ground
        .sql
        .batch_execute(
            "UPDATE alert_rules SET definition = '{\"metric_type\": \"cpu\",
        \"condition\": {\"op\": \"absent\", \"after\": \"20m\"}}', version = version + 1",
        )
        .await
        .unwrap();
    ground.begin_again_later(10 * 60).await;
    ground.happens(&["no_data"]).await;
    ground.stop().await;
}

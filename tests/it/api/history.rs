//! Windows of an agent's metrics, as the dashboards of the system they come from ask for them.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{body_of, metric, start};
use crate::harness::TestServer;

/// The first server has number one.
async fn with_samples() -> TestServer {
    let server = start().await;
    let id = server.register("agent").await;
    let other = server.register("other").await;
    let at = |minute: u32, second: u32| format!("2025-11-20T11:{minute}:{second:02}Z");
    let labelled = |mut metric: Value, name: &str, value: &str| {
        metric["labels"] = json!({ name: value });
        metric
    };
    let metrics = json!([
        metric("cpu", "usage_percent", 10.0, &at(50, 0)),
        metric("cpu", "usage_percent", 21.0, &at(50, 30)),
        metric("cpu", "usage_percent", 40.0, &at(52, 0)),
        metric("cpu", "temperature", 90.0, &at(52, 0)),
        metric("memory", "used_percent", 60.0, &at(50, 0)),
        metric("memory", "percent", 99.0, &at(50, 0)),
        labelled(metric("disk", "percent", 70.0, &at(50, 0)), "mountpoint", "/"),
        labelled(metric("disk", "percent", 80.0, &at(50, 0)), "mountpoint", "/home"),
        labelled(metric("network", "bytes_sent", 100.0, &at(50, 0)), "interface", "eth0"),
        labelled(metric("network", "bytes_sent", 150.0, &at(50, 30)), "interface", "eth0"),
        labelled(metric("network", "bytes_sent", 7.0, &at(50, 1)), "interface", "eth1"),
        metric("network", "bytes_recv", 5.0, &at(51, 0)),
    ]);
    server.ingest(&id, &metrics).await;
    server.ingest(&other, &json!([metric("cpu", "usage_percent", 99.0, &at(50, 0))])).await;
    server
}

#[tokio::test]
async fn a_point_is_the_mean_of_its_window_and_has_the_time_of_its_end() {
    let server = with_samples().await;
    let expected = json!({
        "metric": "cpu", "agent_id": 1, "bucket": "metrics_raw", "interval": "1m",
        "data": [
            { "time": "2025-11-20T11:51:00+00:00", "value": 15.5 },
            { "time": "2025-11-20T11:53:00+00:00", "value": 40 },
        ],
    });
    for path in ["/history/1/cpu", "/api/history/1/cpu?start=-1h&stop=now()&interval=1m"] {
        assert_eq!(body_of(&server.get(path).await, StatusCode::OK), expected, "{path}");
    }
    let path = "/history/1/cpu?start=2025-11-20T11:50:10Z&stop=2025-11-20T11:52:30Z&interval=5m";
    let clipped = body_of(&server.get(path).await, StatusCode::OK);
    let data = json!([{ "time": "2025-11-20T11:52:30+00:00", "value": 30.5 }]);
    assert_eq!(clipped["data"], data, "the last window ends with the range, and nothing before it counts");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn each_metric_is_found_under_its_first_name_and_told_apart_by_its_label() {
    let server = with_samples().await;
    let data = async |path: &str, field: &str| body_of(&server.get(path).await, StatusCode::OK)[field].clone();
    let end = "2025-11-20T11:51:00+00:00";
    assert_eq!(data("/history/1/memory", "data").await, json!([{ "time": end, "value": 60 }]));
    let disks = json!([
        { "time": end, "value": 70, "mountpoint": "/" },
        { "time": end, "value": 80, "mountpoint": "/home" },
    ]);
    assert_eq!(data("/history/1/disk", "data").await, disks);
    assert_eq!(data("/history/1/disk?mountpoint=/home", "data").await, json!([disks[1]]));
    assert_eq!(data("/history/1/network", "bytes_sent").await, json!([{ "time": end, "value": 157 }]));
    let received = json!([{ "time": "2025-11-20T11:52:00+00:00", "value": 5 }]);
    assert_eq!(data("/history/1/network", "bytes_recv").await, received);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_summary_tells_the_extremes_of_a_day_and_zeros_when_there_is_nothing() {
    let server = with_samples().await;
    let nothing = json!({ "avg": 0, "max": 0, "min": 0, "data_points": 0 });
    let summary = |cpu: Value, memory: Value, agent_id: u32| {
        json!({ "agent_id": agent_id, "period": { "start": "-24h", "stop": "now()" }, "bucket": "metrics_raw",
            "cpu": cpu, "memory": memory })
    };
    let cpu = json!({ "avg": 71.0 / 3.0, "max": 40, "min": 10, "data_points": 3 });
    let memory = json!({ "avg": 60, "max": 60, "min": 60, "data_points": 1 });
    assert_eq!(body_of(&server.get("/history/1/summary").await, StatusCode::OK), summary(cpu, memory, 1));
    let unknown = body_of(&server.get("/history/77/summary").await, StatusCode::OK);
    assert_eq!(unknown, summary(nothing.clone(), nothing, 77));
    assert_eq!(body_of(&server.get("/history/77/cpu").await, StatusCode::OK)["data"], json!([]));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_question_is_refused_in_the_shape_of_its_system() {
    let server = start().await;
    for (path, status, detail) in [
        ("/history/1/cpu?start=soon", 400, "Invalid start: give a time such as -1h or 2025-12-01T00:00:00Z"),
        ("/history/1/cpu?interval=-1m", 400, "Invalid interval: give a span such as 30s, 5m or 1h"),
        ("/history/1/summary?start=-2y", 400, "Invalid range: at most 365 days"),
        ("/history/one/cpu", 422, "agent_id should be a valid integer"),
        ("/history/1/gpu", 404, "Not Found"),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (status, json!({ "detail": detail })), "{path}");
    }
    server.stop().await.unwrap();
}

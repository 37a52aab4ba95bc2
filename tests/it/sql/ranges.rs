//! Which samples and which tables a range of time takes.

use millrace::codec::rollup_row;
use millrace::model::{Micros, Resolution, SeriesId};
use millrace::rollup;
use millrace::store::levels::rollups::{self, StoredRollup};
use millrace::store::levels::samples;
use millrace::store::{Database, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{DAY, HOUR, MINUTE, database, plan, stored};

/// The beginning of a month, and of the day that is open.
const MONTH: i64 = 1_764_547_200_000_000;
const FUNCTIONS: [(&str, &str); 3] = [("metrics", "\"timestamp\""), ("metrics_1m", "bucket"), ("metrics_1h", "bucket")];

/// Two series at 20 s from eight hours before [`MONTH`] to four hours after it, with some in recent; of the first three
/// hours only minutes are left.
async fn fill(database: &Database) {
    let mut client = database.client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let mut hours = Vec::new();
    for (series, hour) in (1..=2).flat_map(|series| (-8..4).map(move |hour| (series, hour))) {
        let start = MONTH + hour * HOUR;
        let of_hour: Vec<(i64, f64)> = (0..180).map(|place| (start + place * 20_000_000, place as f64 / 4.0)).collect();
        let (times, values): (Vec<Micros>, Vec<f64>) =
            of_hour.iter().map(|(time, value)| (Micros(*time), *value)).unzip();
        if hour < 0 {
            rollup::roll_up(&times, &values, Resolution::Hour, &mut hours);
        }
        if hour < -5 {
            let mut minutes = Vec::new();
            rollup::roll_up(&times, &values, Resolution::Minute, &mut minutes);
            let row = rollup_row::encode(&minutes, Resolution::Minute);
            let row = StoredRollup { series: SeriesId(series), row };
            rollups::append(&transaction, Resolution::Minute, &[row]).await.unwrap();
        } else {
            let (early, late) = of_hour.split_at(100);
            samples::append(&transaction, &[stored(series, early), stored(series, late)]).await.unwrap();
            let part = stored(series, &[(start + 50 * 20_000_000, 1.5), (start + HOUR - 1, 2.5)]);
            samples::append_recent(&transaction, 0, 1, &[part]).await.unwrap();
        }
        if hour == -1 {
            let row = rollup_row::encode(&std::mem::take(&mut hours), Resolution::Hour);
            rollups::append(&transaction, Resolution::Hour, &[StoredRollup { series: SeriesId(series), row }])
                .await
                .unwrap();
        }
    }
    let close = "UPDATE progress SET up_to = $1 WHERE name = 'day'";
    transaction.execute(close, &[&Timestamp(Micros(MONTH))]).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The months around [`MONTH`], with rows in both.
async fn filled() -> (crate::harness::TestDatabase, Database) {
    let months = [-40 * DAY, -DAY, DAY, 40 * DAY].map(|distance| Micros(MONTH + distance));
    let (test, database) = database(&months, 2).await;
    fill(&database).await;
    (test, database)
}

#[test]
fn a_range_takes_what_the_view_has_from_its_one_end_to_the_other_both_included() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_test, database) = runtime.block_on(filled());
    let client = runtime.block_on(database.client()).unwrap();
    let end = prop_oneof![
        (-9 * 3_600..5 * 3_600_i64).prop_map(|second| second * 1_000_000),
        (-9 * 60..5 * 60_i64).prop_map(|minute| minute * MINUTE),
        (-9..5_i64, -1..=1_i64).prop_map(|(hour, off)| hour * HOUR + off),
    ];
    let mut runner = TestRunner::new(Config { max_shrink_iters: 60, ..Config::with_cases(40) });
    let outcome = runner.run(&(end.clone(), end), |(from, to)| {
        let (from, to) = (Timestamp(Micros(MONTH + from)), Timestamp(Micros(MONTH + to)));
        for (view, column) in FUNCTIONS {
            let different = format!(
                "WITH ranged AS (SELECT * FROM {view}_between($1, $2)),
                    shown AS (SELECT * FROM {view} WHERE {column} BETWEEN $1 AND $2)
                SELECT (SELECT count(*) FROM (TABLE ranged EXCEPT ALL TABLE shown) AS more)
                    + (SELECT count(*) FROM (TABLE shown EXCEPT ALL TABLE ranged) AS less)"
            );
            let rows = runtime.block_on(client.query_one(&different, &[&from, &to])).unwrap();
            prop_assert_eq!(rows.get::<_, i64>(0), 0, "{}", view);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn a_range_of_one_month_reads_that_month_alone_and_by_its_key() {
    let (_test, database) = filled().await;
    let client = database.client().await.unwrap();
    // Tables of a test are so small that reading them whole would be faster.
    client.batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off").await.unwrap();
    let key = "Index Cond: ((series = series.id) AND (start >= ";
    for (view, table) in
        [("metrics", "samples"), ("metrics_1m", "samples"), ("metrics_1m", "rollup_1m"), ("metrics_1h", "rollup_1h")]
    {
        let between = "'2025-11-03 10:00+00', '2025-11-30 23:59:59.999999+00', metric_name => 'm1'";
        let plan = plan(&client, &format!("SELECT * FROM {view}_between({between})")).await;
        assert!(plan.contains(&format!(" on {table}_2025_11 ")) && plan.contains(key), "{plan}");
        for month in ["2025_10", "2025_12", "2026_01"] {
            assert!(!plan.contains(&format!("{table}_{month}")), "{view} reads {table}_{month}: {plan}");
        }
    }
}

#[tokio::test]
async fn hours_of_closed_days_are_not_made_of_samples_again() {
    let (_test, database) = filled().await;
    let client = database.client().await.unwrap();
    let hours = "SELECT * FROM metrics_1h_between('2025-11-01 00:00+00', '2025-12-31 00:00+00')";
    let plan = plan(&client, &format!("(ANALYZE, COSTS off, TIMING off) {hours}")).await;
    let reads = |table: &str| {
        let line = plan.lines().find(|line| line.contains(&format!(" on {table} ")));
        line.is_some_and(|line| !line.contains("never executed"))
    };
    assert!(reads("samples_2025_12") && !reads("samples_2025_11"), "{plan}");
    assert!(reads("rollup_1h_2025_11") && !reads("rollup_1h_2025_12"), "{plan}");
}

#[tokio::test]
async fn a_range_of_a_server_a_type_or_a_name_is_of_those_alone() {
    let (_test, database) = filled().await;
    let client = database.client().await.unwrap();
    let other = "INSERT INTO servers (hostname, ip_address) VALUES ('web-2', '10.0.0.2');
        UPDATE series SET metric_type = 'ram' WHERE metric_name = 'm2';
        UPDATE series SET server = (SELECT key FROM servers WHERE hostname = 'web-2') WHERE metric_name = 'm2'";
    client.batch_execute(other).await.unwrap();
    let id = |hostname: &str| format!("(SELECT id FROM servers WHERE hostname = '{hostname}')");
    for (view, _) in FUNCTIONS {
        for (conditions, expected) in [
            (String::new(), "m1,m2"),
            (format!(", server_id => {}", id("web-1")), "m1"),
            (format!(", {}, 'ram', 'm2'", id("web-2")), "m2"),
            (", metric_type => 'cpu'".to_owned(), "m1"),
            (", metric_name => 'm2'".to_owned(), "m2"),
            (", metric_type => 'cpu', metric_name => 'm2'".to_owned(), ""),
            (", gen_random_uuid()".to_owned(), ""),
        ] {
            let names = format!(
                "SELECT coalesce(string_agg(DISTINCT metric_name, ','), '')
                FROM {view}_between('2025-11-30 00:00+00', '2025-12-02 00:00+00'{conditions})"
            );
            assert_eq!(client.query_one(&names, &[]).await.unwrap().get::<_, &str>(0), expected, "{names}");
        }
    }
    client.execute("DELETE FROM servers WHERE hostname = 'web-1'", &[]).await.unwrap();
    let left = client.query("SELECT DISTINCT metric_name FROM metrics", &[]).await.unwrap();
    assert_eq!(left.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["m2"], "deleted servers are not shown");
}

#[tokio::test]
async fn a_role_with_what_the_description_grants_reads_every_view_and_nothing_else() {
    let (_test, database) = filled().await;
    let mut client = database.client().await.unwrap();
    let readme = include_str!("../../../sql/README.md");
    let grant = readme.split("```text\n").find(|rest| rest.starts_with("CREATE ROLE reader")).unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(grant.split("```").next().unwrap()).await.unwrap();
    transaction.batch_execute("SET LOCAL ROLE reader").await.unwrap();
    for (view, _) in FUNCTIONS {
        for source in [view.to_owned(), format!("{view}_between('2025-11-30 20:00+00', '2025-12-01 03:00+00')")] {
            let count = transaction.query_one(&format!("SELECT count(*) FROM {source}"), &[]).await.unwrap();
            assert!(count.get::<_, i64>(0) > 0, "{source}");
        }
    }
    assert!(transaction.query("SELECT * FROM journal", &[]).await.is_err());
}

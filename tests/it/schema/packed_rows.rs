//! Rows of samples from before they were packed in one column: rewritten, they hold the same samples.

use std::collections::BTreeSet;

use millrace::store::migrations::migrate;

use super::{files, lines, reached};
use crate::harness::TestDatabase;

const REWRITTEN_BY: &str = "20261120200000_packed_rows";

/// A row of each kind: even times, uneven ones whose unit divides their shortest step or does not, one sample alone;
/// values from a base, in steps, the same all along, and floats of every sort.
const OLD_ROWS: &str = "
    SELECT make_month('samples', '2025-10-20'), make_month('samples', '2025-11-20');
    INSERT INTO samples (series, start, count, time_step, time_unit, times, value_scale, value_base, value_step,
        value_is_steps, integers, floats)
    VALUES
    (1, '2025-11-20 10:00+00', 4, 9500000, 500000, B'011000', 2, 4400, 0, false, B'01111000011111011000001000000000', NULL),
    (1, '2025-11-20 11:00:00.000007+00', 4, 9700000, 500000, B'011011', 0, -7, -3, true, B'010110', NULL),
    (1, '2025-11-20 12:00+00', 3, 10000000, 0, NULL, 12, 123456789012, 0, false, NULL, NULL),
    (1, '2025-11-20 13:00+00', 1, 0, 0, NULL, 1, -5, 0, false, NULL, NULL),
    (2, '2025-10-20 10:00+00', 9, 1, 0, NULL, 0, 0, 0, false, NULL,
        '{0.1, -0.30000000000000004, 0, -0, Infinity, -Infinity, NaN, 5e-324, -1.7976931348623157e308}'),
    (2, '2025-10-20 11:00+00', 2, 1001, 0, NULL, 3, 5, 1000001, true, NULL, NULL);
    INSERT INTO samples (series, start, count, time_step, time_unit, times, value_scale, value_base, value_step,
        value_is_steps, integers, floats)
    SELECT 3, '2025-11-20 10:00+00', 3000, 1000000, 1000, repeat('0110100', 2999)::bit varying, 0, 0, 0, false,
        NULL, array_agg(sqrt(number)) FROM generate_series(1, 3000) AS number;
    INSERT INTO recent (slot, fold, series, start, count, time_step, time_unit, times, value_scale, value_base, value_step,
        value_is_steps, integers, floats)
    SELECT 2, 77, series, start, count, time_step, time_unit, times, value_scale, value_base, value_step, value_is_steps,
        integers, floats FROM samples;
    CREATE ROLE packed_rows_reader;
    GRANT SELECT ON samples TO packed_rows_reader";

#[tokio::test]
async fn rows_of_the_layout_before_hold_the_same_samples_afterwards() {
    let database = TestDatabase::create().await;
    let client = database.connect().await;
    let history = "CREATE TABLE migrations (
        name text PRIMARY KEY, checksum bigint NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";
    client.batch_execute(history).await.unwrap();
    for (name, sql) in files("sql/migrations").into_iter().filter(|(name, _)| name.as_str() < REWRITTEN_BY) {
        client.batch_execute(&sql).await.unwrap();
        let checksum = i64::from(crc32fast::hash(sql.as_bytes()));
        client.execute("INSERT INTO migrations (name, checksum) VALUES ($1, $2)", &[&name, &checksum]).await.unwrap();
    }
    client.batch_execute(OLD_ROWS).await.unwrap();
    let before = samples(
        &database,
        "count, time_step, time_unit, times, value_scale, value_base, value_step,
        value_is_steps, integers, floats",
    )
    .await;
    assert!(before.len() > 6_000, "{}", before.len());

    migrate(&reached(&database)).await.unwrap();
    assert_eq!(samples(&database, "count, packed").await, before);
    let heads = "SELECT format('%s %s %s', series, to_char(start AT TIME ZONE 'UTC', 'HH24:MI:SS.US'), seconds) FROM samples WHERE series < 3";
    let expected = [
        "1 10:00:00.000000 30",
        "1 11:00:00.000007 33",
        "1 12:00:00.000000 20",
        "1 13:00:00.000000 0",
        "2 10:00:00.000000 1",
        "2 11:00:00.000000 1",
    ];
    assert_eq!(lines(&database, heads).await, expected.map(str::to_owned).into());
    let left = "SELECT relname::text FROM pg_class WHERE relname LIKE 'old%'";
    assert_eq!(lines(&database, left).await, BTreeSet::new());
    let may_read = "SELECT has_table_privilege('packed_rows_reader', 'samples', 'SELECT')::text";
    assert_eq!(lines(&database, may_read).await, ["true".to_owned()].into(), "who could read it still can");
}

/// Every sample of `samples` and `recent`, by the function that unpacks these columns.
async fn samples(database: &TestDatabase, columns: &str) -> BTreeSet<String> {
    let from = |table: &str, fold: &str| {
        format!(
            r#"SELECT format('%s {fold} %s %s', series, "time", value) FROM {table}, unpack_samples(start, {columns})"#
        )
    };
    lines(database, &format!("{} UNION ALL {}", from("samples", "-"), from("recent", "77"))).await
}

-- Deletes the oldest expired rows of some series, and answers how many, and how many of one series at most. $1 series;
-- $2 before when they have expired, $3 the latest of these; $4 rows of a series at most.
WITH gone AS (
    DELETE FROM rollup_1h USING (
        SELECT old.series, old.start
        FROM unnest($1::int[], $2::timestamptz[]) AS expiry (series, before)
        CROSS JOIN LATERAL (
            SELECT old.series, old.start FROM rollup_1h AS old
            WHERE old.series = expiry.series AND old.start < expiry.before AND old.start < $3
            ORDER BY old.start
            LIMIT $4) AS old
    ) AS expired
    WHERE rollup_1h.series = expired.series AND rollup_1h.start = expired.start AND rollup_1h.start < $3
    RETURNING rollup_1h.series
)
SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(max(rows), 0)::bigint AS rows_of_series
FROM (SELECT count(*) AS rows FROM gone GROUP BY series) AS of_series

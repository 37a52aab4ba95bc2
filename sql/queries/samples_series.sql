-- The next series after $1 with rows in the month of $2, at most $3. From one series the index leads to the next.
WITH RECURSIVE bounds AS (
    SELECT date_trunc('month', $2::timestamptz AT TIME ZONE 'UTC') AS month
), present (series) AS (
    (SELECT series FROM samples
     WHERE series > $1 AND start >= (SELECT month AT TIME ZONE 'UTC' FROM bounds)
         AND start < (SELECT (month + interval '1 month') AT TIME ZONE 'UTC' FROM bounds)
     ORDER BY series LIMIT 1)
    UNION ALL
    SELECT (SELECT series FROM samples
            WHERE series > present.series AND start >= (SELECT month AT TIME ZONE 'UTC' FROM bounds)
                AND start < (SELECT (month + interval '1 month') AT TIME ZONE 'UTC' FROM bounds)
            ORDER BY series LIMIT 1)
    FROM present WHERE present.series IS NOT NULL
)
SELECT series FROM present WHERE series IS NOT NULL LIMIT $3

-- Of the next series after $1, at most $3, the last one, and when the first of their rows from $2 on begins.
WITH RECURSIVE present (series) AS (
    (SELECT series FROM samples WHERE series > $1 AND start >= $2 ORDER BY series LIMIT 1)
    UNION ALL
    SELECT (SELECT series FROM samples WHERE series > present.series AND start >= $2 ORDER BY series LIMIT 1)
    FROM present WHERE present.series IS NOT NULL
), slice AS (
    SELECT series FROM present WHERE series IS NOT NULL LIMIT $3
)
SELECT max(slice.series) AS series, min(first.start) AS start
FROM slice
CROSS JOIN LATERAL (
    SELECT start FROM samples WHERE samples.series = slice.series AND start >= $2 ORDER BY start LIMIT 1
) AS first

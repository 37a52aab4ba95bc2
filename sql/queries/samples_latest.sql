-- The last row of each series. $1 series.
SELECT newest.*
FROM unnest($1::int[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT series, start, count, seconds, packed
    FROM samples
    WHERE samples.series = wanted.series
    ORDER BY start DESC
    LIMIT 1) AS newest

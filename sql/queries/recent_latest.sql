-- The parts of the last hour (UTC) that each series has any in, those of later folds last. $1 series.
SELECT last_hour.*
FROM unnest($1::int[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT date_bin('1 hour', start, timestamptz 'epoch') AS hour FROM recent
    WHERE recent.series = wanted.series
    ORDER BY start DESC
    LIMIT 1) AS newest
CROSS JOIN LATERAL (
    SELECT fold, series, start, count, seconds, packed
    FROM recent
    WHERE recent.series = wanted.series AND start >= newest.hour) AS last_hour
ORDER BY series, fold, start

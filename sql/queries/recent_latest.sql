-- The parts of the last hour (UTC) that each series has any in, those of later folds last. $1 series.
SELECT last_hour.*
FROM unnest($1::int[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT date_bin('1 hour', start, timestamptz 'epoch') AS hour FROM recent
    WHERE recent.series = wanted.series
    ORDER BY start DESC
    LIMIT 1) AS newest
CROSS JOIN LATERAL (
    SELECT fold, series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps,
           times, integers, floats
    FROM recent
    WHERE recent.series = wanted.series AND start >= newest.hour) AS last_hour
ORDER BY series, fold, start

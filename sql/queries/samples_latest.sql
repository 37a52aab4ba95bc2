-- The last row of each series. $1 series.
SELECT newest.*
FROM unnest($1::int[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps,
           times, integers, floats
    FROM samples
    WHERE samples.series = wanted.series
    ORDER BY start DESC
    LIMIT 1) AS newest

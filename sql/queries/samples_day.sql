-- Rows of the series $1 that begin in the day from $2 on, by series and start.
SELECT found.series, found.start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps,
    times, integers, floats
FROM unnest($1::integer[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT * FROM samples
    WHERE samples.series = wanted.series AND start >= $2 AND start < $2 + interval '24 hours'
    ORDER BY start OFFSET 0
) AS found

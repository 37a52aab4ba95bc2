-- Rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, both included.
SELECT series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps, times, integers, floats
FROM samples
WHERE series = ANY ($1) AND start BETWEEN $2 AND $3
ORDER BY series, start

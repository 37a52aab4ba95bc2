-- A page of rows. $1 and $2 the last one of the page before; $3 how many.
SELECT series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps, times, integers, floats
FROM samples
WHERE (series, start) > ($1, $2)
ORDER BY series, start
LIMIT $3

-- Parts of some series that begin in a stretch of time, those of later folds last. $1 series; $2 from, $3 to, both
-- included; $4 the last fold that counts.
SELECT series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps, times, integers, floats
FROM recent
WHERE series = ANY ($1) AND start BETWEEN $2 AND $3 AND fold <= $4
ORDER BY series, fold, start

-- Rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, both included.
SELECT series, start, value_base, increase_base, count_base, value_scale, buckets, counts, sums, mins, maxs, firsts, lasts, increases, floats
FROM rollup_1h
WHERE series = ANY ($1) AND start BETWEEN $2 AND $3
ORDER BY series, start

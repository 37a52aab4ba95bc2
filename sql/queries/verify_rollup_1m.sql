-- A page of rows. $1 and $2 the last one of the page before; $3 how many.
SELECT series, start, value_base, increase_base, count_base, value_scale, buckets, counts, sums, mins, maxs, firsts,
    lasts, increases, floats
FROM rollup_1m
WHERE (series, start) > ($1, $2)
ORDER BY series, start
LIMIT $3

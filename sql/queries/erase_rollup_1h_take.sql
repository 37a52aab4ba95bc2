-- Removes the rows of some series that begin in a stretch of time, and answers them. $1 series; $2 from, $3 to, the
-- latter excluded.
DELETE FROM rollup_1h WHERE series = ANY ($1) AND start >= $2 AND start < $3
RETURNING series, start, value_base, increase_base, count_base, value_scale, buckets,
    counts, sums, mins, maxs, firsts, lasts, increases, floats

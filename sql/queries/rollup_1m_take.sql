-- Takes rows away. $1 series; $2 start of each.
DELETE FROM rollup_1m USING unnest($1::int[], $2::timestamptz[]) AS place (series, start)
WHERE rollup_1m.series = place.series AND rollup_1m.start = place.start
RETURNING rollup_1m.series, rollup_1m.start, value_base, increase_base, count_base, value_scale, buckets, counts, sums,
    mins, maxs, firsts, lasts, increases, floats

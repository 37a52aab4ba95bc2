-- Rows by their keys, $1 and $2 side by side.
SELECT series, start, value_base, increase_base, count_base, value_scale, buckets, counts, sums, mins, maxs, firsts,
    lasts, increases, floats
FROM unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
JOIN rollup_1h USING (series, start)

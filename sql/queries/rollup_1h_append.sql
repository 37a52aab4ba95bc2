COPY rollup_1h (series, start, value_base, increase_base, count_base, value_scale, buckets, counts, sums, mins, maxs, firsts, lasts, increases, floats)
FROM STDIN (FORMAT binary)

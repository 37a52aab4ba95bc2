-- Rows by their keys, $1 and $2 side by side.
SELECT series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps, times,
    integers, floats
FROM unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
JOIN samples USING (series, start)

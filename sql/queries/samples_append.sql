COPY samples (series, start, time_step, value_base, value_step, time_unit, count, value_scale, value_is_steps, times, integers, floats)
FROM STDIN (FORMAT binary)

-- For the transaction of a job. Tables fill and empty faster than statistics are gathered, so plans must not depend on
-- them: everything is found by index, in its order. Compiling would take longer than the statements do.
SELECT set_config('statement_timeout', '60s', true), set_config('lock_timeout', '10s', true),
    set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)

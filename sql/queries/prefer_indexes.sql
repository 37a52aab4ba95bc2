-- For the transaction: a slice of the series is looked up one by one, whatever the planner believes of unnest.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_seqscan', 'off', true)

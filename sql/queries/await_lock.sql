-- Waits for the lock in line with others, but no longer than $3 milliseconds.
SELECT set_config('lock_timeout', $3, true), pg_advisory_xact_lock($1::int, $2::int)

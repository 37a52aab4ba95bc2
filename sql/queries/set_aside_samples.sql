-- Takes a row out of samples. $1 series, $2 start; $3 reason, $4 by whom, $5 now.
WITH gone AS (
    DELETE FROM samples WHERE series = $1 AND start = $2 RETURNING samples.*
)
INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
SELECT 'samples', to_jsonb(gone) - '{packed}'::text[], $3, $4, $5, record_send(gone) FROM gone

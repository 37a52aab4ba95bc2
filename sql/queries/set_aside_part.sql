-- Takes a part out of recent. $1 slot, $2 fold, $3 series, $4 start; $5 reason, $6 by whom, $7 now.
WITH gone AS (
    DELETE FROM recent WHERE slot = $1 AND fold = $2 AND series = $3 AND start = $4 RETURNING recent.*
)
INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
SELECT 'recent', to_jsonb(gone) - '{packed}'::text[], $5, $6, $7, record_send(gone) FROM gone

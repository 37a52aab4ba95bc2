-- Takes a block out of the journal. $1 node, $2 lane, $3 sequence, $4 part, $5 slot; $6 reason, $7 by whom, $8 now.
WITH gone AS (
    DELETE FROM journal WHERE node = $1 AND lane = $2 AND sequence = $3 AND part = $4 AND slot = $5 RETURNING *
)
INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
SELECT 'journal', to_jsonb(gone) - 'block', $6, $7, $8, gone.block FROM gone

-- Takes a row out of rollup_1h. $1 series, $2 start; $3 reason, $4 by whom, $5 now.
WITH gone AS (
    DELETE FROM rollup_1h WHERE series = $1 AND start = $2 RETURNING rollup_1h.*
)
INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
SELECT 'rollup_1h', to_jsonb(gone) - '{buckets,counts,sums,mins,maxs,firsts,lasts,increases,floats}'::text[], $3, $4, $5,
    record_send(gone)
FROM gone

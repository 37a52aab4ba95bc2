-- Takes a row out of rollup_1m. $1 series, $2 start; $3 reason, $4 by whom, $5 now.
WITH gone AS (
    DELETE FROM rollup_1m WHERE series = $1 AND start = $2 RETURNING rollup_1m.*
)
INSERT INTO set_aside (level, place, reason, found_by, found_at, bytes)
SELECT 'rollup_1m', to_jsonb(gone) - '{buckets,counts,sums,mins,maxs,firsts,lasts,increases,floats}'::text[], $3, $4, $5,
    record_send(gone)
FROM gone

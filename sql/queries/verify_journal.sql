-- A page of the journal in the order of its key, with what each row says of its block.
-- $1 to $5 the last row of the page before; $6 how many rows.
SELECT node, lane, sequence, part, slot, series_min, series_max, time_min, time_max, samples, block
FROM journal
WHERE (node, lane, sequence, part, slot) > ($1, $2, $3, $4, $5)
ORDER BY node, lane, sequence, part, slot
LIMIT $6

-- A page of the blocks that were not folded and may hold samples of a time and series range, those that reach latest
-- first. $1 from, $2 to; $3, $4 the series range; $5 to $9 the last block of the page before; $10 how many blocks;
-- $11 the parts of the ring that hold any; $12, $13 time and series of the row that the others must come before.
SELECT node, lane, sequence, part, time_min, time_max, committed_at, block
FROM journal
WHERE time_max >= $1 AND time_min <= $2
  AND series_max >= $3 AND series_min <= $4
  AND (time_max, node, lane, sequence, part) < ($5, $6, $7, $8, $9)
  AND slot = ANY ($11)
  AND (time_max > $12 OR series_max >= $13)
  AND sequence > coalesce((
      SELECT mark.sequence FROM fold_marks AS mark WHERE mark.node = journal.node AND mark.lane = journal.lane), 0)
ORDER BY time_max DESC, node DESC, lane DESC, sequence DESC, part DESC
LIMIT $10

-- A page of the blocks that may hold samples of a time and series range, those that reach latest first.
-- $1 from, $2 to; $3, $4 the series range; $5 nodes, $6 lanes, $7 after and $8 up to these sequences of them;
-- $9 whether writers not listed count too; $10 to $14 the last block of the page before; $15 how many blocks.
SELECT node, lane, sequence, part, time_min, time_max, committed_at, block
FROM journal
WHERE time_max >= $1 AND time_min <= $2
  AND series_max >= $3 AND series_min <= $4
  AND (time_max, node, lane, sequence, part) < ($10, $11, $12, $13, $14)
  AND CASE
        WHEN NOT (node, lane) IN (SELECT * FROM unnest($5::int[], $6::smallint[])) THEN $9
        ELSE EXISTS (
            SELECT FROM unnest($5::int[], $6::smallint[], $7::bigint[], $8::bigint[]) AS mark (node, lane, low, high)
            WHERE mark.node = journal.node AND mark.lane = journal.lane
              AND journal.sequence > mark.low AND journal.sequence <= mark.high)
      END
ORDER BY time_max DESC, node DESC, lane DESC, sequence DESC, part DESC
LIMIT $15

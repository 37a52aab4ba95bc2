-- The blocks that were not folded and may hold samples of a time and series range, writer by writer: each writer's are
-- looked up past its mark. $1 from, $2 to; $3, $4 the series range.
WITH RECURSIVE writer AS (
    (SELECT node, lane FROM journal ORDER BY node DESC, lane DESC LIMIT 1)
    UNION ALL
    SELECT earlier.node, earlier.lane
    FROM writer CROSS JOIN LATERAL (
        SELECT node, lane FROM journal
        WHERE (journal.node, journal.lane) < (writer.node, writer.lane)
        ORDER BY node DESC, lane DESC
        LIMIT 1) AS earlier
)
SELECT node, lane, block.sequence, part, time_min, time_max, committed_at, block
FROM writer LEFT JOIN fold_marks USING (node, lane)
CROSS JOIN LATERAL (
    SELECT sequence, part, time_min, time_max, committed_at, block FROM journal
    WHERE journal.node = writer.node AND journal.lane = writer.lane
      AND journal.sequence > coalesce(fold_marks.sequence, 0)
      AND series_max >= $3 AND series_min <= $4
      AND time_max >= $1 AND time_min <= $2
    -- So that it is not turned round: all blocks of the range first, folded or not.
    OFFSET 0) AS block

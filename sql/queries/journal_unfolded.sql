-- The blocks that were not folded yet, without what is in them. In the order of their times, in which each writer's
-- sequences ascend even if its times should not: so the first ones are the next ones of every writer. $1 how many.
WITH RECURSIVE writer AS (
    (SELECT node, lane FROM journal ORDER BY node, lane LIMIT 1)
    UNION ALL
    SELECT later.node, later.lane
    FROM writer CROSS JOIN LATERAL (
        SELECT node, lane FROM journal
        WHERE (journal.node, journal.lane) > (writer.node, writer.lane)
        ORDER BY node, lane
        LIMIT 1) AS later
)
SELECT writer.node, writer.lane, head.sequence, part, slot, series_min, series_max, samples, committed_at
FROM writer
LEFT JOIN fold_marks USING (node, lane)
CROSS JOIN LATERAL (
    SELECT *, max(committed_at) OVER (ORDER BY sequence, part ROWS UNBOUNDED PRECEDING) AS latest
    FROM (
        SELECT sequence, part, slot, series_min, series_max, samples, committed_at FROM journal
        WHERE journal.node = writer.node AND journal.lane = writer.lane
          AND journal.sequence > coalesce(fold_marks.sequence, 0)
        ORDER BY sequence, part
        LIMIT $1) AS next) AS head
ORDER BY latest, writer.node, writer.lane, head.sequence, part
LIMIT $1

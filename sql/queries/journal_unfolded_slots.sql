-- The parts of the ring that hold anything that was not folded. Two look-ups for each writer and part.
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
SELECT DISTINCT ring.slot
FROM writer LEFT JOIN fold_marks USING (node, lane)
CROSS JOIN (VALUES (0::smallint), (1::smallint), (2::smallint), (3::smallint)) AS ring (slot)
CROSS JOIN LATERAL (
    SELECT sequence FROM journal
    WHERE journal.slot = ring.slot AND journal.node = writer.node AND journal.lane = writer.lane
      AND journal.sequence > coalesce(fold_marks.sequence, 0)
    ORDER BY sequence DESC
    LIMIT 1) AS newest

-- Forgets marks of writers that have no rows in the journal: those that did not move since $1, and beyond the $2 that
-- moved last all of them.
DELETE FROM fold_marks AS mark
WHERE (moved_at < $1 OR NOT (node, lane) IN (
          SELECT node, lane FROM fold_marks ORDER BY moved_at DESC, node DESC, lane DESC LIMIT $2))
  AND NOT EXISTS (SELECT FROM journal WHERE journal.node = mark.node AND journal.lane = mark.lane)

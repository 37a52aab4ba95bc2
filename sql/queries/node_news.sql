-- How far the catalog and each writer of the journal have got, the latest writers first; one row without a writer when
-- there was none. $1 how many writers. Steps from writer to writer through the primary key instead of reading it. A writer
-- whose flushes have all left the journal is known by its mark alone.
WITH RECURSIVE writer AS (
    (SELECT node, lane FROM journal ORDER BY node DESC, lane DESC LIMIT 1)
    UNION ALL
    SELECT earlier.node, earlier.lane
    FROM writer CROSS JOIN LATERAL (
        SELECT node, lane FROM journal
        WHERE (journal.node, journal.lane) < (writer.node, writer.lane)
        ORDER BY node DESC, lane DESC
        LIMIT 1) AS earlier
), known AS (
    (SELECT node, lane FROM writer LIMIT $1)
    UNION
    (SELECT node, lane FROM fold_marks ORDER BY node DESC, lane DESC LIMIT $1)
    ORDER BY node DESC, lane DESC
    LIMIT $1
)
-- Another start of PostgreSQL is another revision, and so is another table: the database may have been set back.
SELECT revision # hashtextextended(extract(epoch FROM pg_postmaster_start_time()) || '/' || 'series'::regclass::oid, 0)
        AS revision,
    belongings, known.node, known.lane, newest.sequence, fold_marks.sequence AS folded
FROM catalog_revision
LEFT JOIN known ON true
LEFT JOIN fold_marks ON fold_marks.node = known.node AND fold_marks.lane = known.lane
LEFT JOIN LATERAL (
    SELECT sequence FROM journal
    WHERE journal.node = known.node AND journal.lane = known.lane
    ORDER BY sequence DESC
    LIMIT 1) AS newest ON true
ORDER BY known.node DESC, known.lane DESC

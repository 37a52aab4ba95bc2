-- How far the catalog and each writer of the journal have got, the latest writers first; one row without a writer when
-- the journal is empty. $1 how many writers. Steps from writer to writer through the primary key instead of reading it.
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
SELECT revision, latest.node, latest.lane, newest.sequence
FROM catalog_revision
LEFT JOIN (SELECT node, lane FROM writer LIMIT $1) AS latest ON true
LEFT JOIN LATERAL (
    SELECT sequence FROM journal
    WHERE journal.node = latest.node AND journal.lane = latest.lane
    ORDER BY sequence DESC
    LIMIT 1) AS newest ON true

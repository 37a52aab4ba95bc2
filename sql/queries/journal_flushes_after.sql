-- The next flushes of some writers, whole: the last one of each writer may go beyond the number of blocks.
-- $1 nodes, $2 lanes, $3 after these sequences of them; $4 how many blocks of each.
SELECT mark.node, mark.lane, next.sequence, part, time_min, time_max, committed_at, block
FROM unnest($1::int[], $2::smallint[], $3::bigint[]) AS mark (node, lane, sequence)
CROSS JOIN LATERAL (
    SELECT sequence, part, time_min, time_max, committed_at, block FROM journal
    WHERE journal.node = mark.node AND journal.lane = mark.lane AND journal.sequence > mark.sequence
    ORDER BY sequence
    FETCH FIRST ($4::bigint) ROWS WITH TIES) AS next

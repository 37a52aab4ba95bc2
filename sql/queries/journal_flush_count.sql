-- How many flushes of some writers the journal holds. $1 nodes, $2 lanes; $3 after and $4 up to these sequences of them.
SELECT count(*) AS flushes
FROM unnest($1::int[], $2::smallint[], $3::bigint[], $4::bigint[]) AS mark (node, lane, low, high)
JOIN journal ON journal.node = mark.node AND journal.lane = mark.lane
  AND journal.sequence > mark.low AND journal.sequence <= mark.high AND journal.part = 0

-- Some blocks by their keys, in the order of the keys. $1 nodes, $2 lanes, $3 sequences, $4 parts, $5 slots.
SELECT found.block
FROM unnest($1::int[], $2::smallint[], $3::bigint[], $4::smallint[], $5::smallint[])
    WITH ORDINALITY AS key (node, lane, sequence, part, slot, place)
CROSS JOIN LATERAL (
    SELECT block FROM journal
    WHERE journal.node = key.node AND journal.lane = key.lane AND journal.sequence = key.sequence
      AND journal.part = key.part AND journal.slot = key.slot
    LIMIT 1) AS found
ORDER BY key.place

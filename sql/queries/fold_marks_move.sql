-- $1 nodes, $2 lanes, $3 sequences, $4 now. A mark never goes back.
INSERT INTO fold_marks (node, lane, sequence, moved_at)
SELECT node, lane, sequence, $4 FROM unnest($1::int[], $2::smallint[], $3::bigint[]) AS moved (node, lane, sequence)
ON CONFLICT (node, lane) DO UPDATE SET sequence = excluded.sequence, moved_at = excluded.moved_at
WHERE fold_marks.sequence < excluded.sequence

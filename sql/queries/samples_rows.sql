-- Rows by their keys, $1 and $2 side by side.
SELECT series, start, count, seconds, packed
FROM unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
JOIN samples USING (series, start)

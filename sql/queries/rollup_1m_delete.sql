-- Rows by their keys, $1 and $2 side by side.
DELETE FROM rollup_1m USING unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
WHERE rollup_1m.series = key.series AND rollup_1m.start = key.start

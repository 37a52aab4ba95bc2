-- Rows by their keys, $1 and $2 side by side.
DELETE FROM rollup_1h USING unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
WHERE rollup_1h.series = key.series AND rollup_1h.start = key.start

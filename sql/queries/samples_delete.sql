-- Rows by their keys, $1 and $2 side by side.
DELETE FROM samples USING unnest($1::integer[], $2::timestamptz[]) AS key (series, start)
WHERE samples.series = key.series AND samples.start = key.start

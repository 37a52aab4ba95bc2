-- About how many samples there are of each of some series in a stretch of time, by series. What the journal holds is
-- taken to be spread evenly over the series of its blocks. $1 series, sorted; $2, $3 from where packed rows begin and
-- to; $4 from, for the journal.
WITH unfolded AS (
    SELECT coalesce(sum(samples::float8 / (series_max - series_min + 1)), 0) AS samples
    FROM journal LEFT JOIN fold_marks USING (node, lane)
    WHERE journal.sequence > coalesce(fold_marks.sequence, 0)
      AND series_max >= ($1::integer[])[1]
      AND series_min <= ($1::integer[])[cardinality($1::integer[])]
      AND time_max >= $4::timestamptz AND time_min <= $3
)
SELECT ((SELECT coalesce(sum(count), 0) FROM samples WHERE series = wanted AND start BETWEEN $2 AND $3)
      + (SELECT coalesce(sum(count), 0) FROM recent WHERE series = wanted AND start BETWEEN $2 AND $3)
      + (SELECT samples FROM unfolded))::float8 AS samples
FROM unnest($1::integer[]) WITH ORDINALITY AS wanted (wanted, place)
ORDER BY place

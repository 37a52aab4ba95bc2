-- Where the samples of one series begin, row by row and block by block in order of time, and about how many of them.
-- $1 series; $2, $3 from where packed rows begin and to; $4 from, for the journal; $5 how many.
SELECT start, samples::float8 AS samples
FROM ((SELECT start, count AS samples FROM samples
       WHERE series = $1::integer AND start BETWEEN $2 AND $3 ORDER BY start LIMIT $5::bigint)
      UNION ALL
      (SELECT start, count FROM recent
       WHERE series = $1::integer AND start BETWEEN $2 AND $3 ORDER BY start LIMIT $5::bigint)
      UNION ALL
      (SELECT greatest(time_min, $4::timestamptz), samples::float8 / (series_max - series_min + 1)
       FROM journal LEFT JOIN fold_marks USING (node, lane)
       WHERE journal.sequence > coalesce(fold_marks.sequence, 0)
         AND series_max >= $1 AND series_min <= $1 AND time_max >= $4::timestamptz AND time_min <= $3
       ORDER BY time_min LIMIT $5::bigint)) AS every
ORDER BY start
LIMIT $5::bigint

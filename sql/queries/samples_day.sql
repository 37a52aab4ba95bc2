-- Rows of the series $1 that begin in the day from $2 on, by series and start.
SELECT found.series, found.start, count, seconds, packed
FROM unnest($1::integer[]) AS wanted (series)
CROSS JOIN LATERAL (
    SELECT * FROM samples
    WHERE samples.series = wanted.series AND start >= $2 AND start < $2 + interval '24 hours'
    ORDER BY start OFFSET 0
) AS found

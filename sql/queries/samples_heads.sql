-- What rows there are of some hours. $1 series, $2 beginning of each hour.
SELECT head.series, head.start, head.count
FROM unnest($1::integer[], $2::timestamptz[]) AS hour (series, start)
CROSS JOIN LATERAL (
    SELECT series, start, count FROM samples
    WHERE samples.series = hour.series AND samples.start >= hour.start
        AND samples.start < hour.start + interval '1 hour'
    ORDER BY start OFFSET 0
) AS head

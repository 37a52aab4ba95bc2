-- The oldest expired rows of some series. $1 series; $2 before when they have expired, $3 the latest of these; $4 rows
-- of a series at most.
SELECT old.series, old.start, old.count
FROM unnest($1::int[], $2::timestamptz[]) AS expiry (series, before)
CROSS JOIN LATERAL (
    SELECT samples.series, start, count FROM samples
    WHERE samples.series = expiry.series AND start < expiry.before AND start < $3
    ORDER BY start
    LIMIT $4) AS old
ORDER BY old.series, old.start

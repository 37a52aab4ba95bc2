-- Takes rows away. $1 series; $2 before when the rows of each begin, $3 the latest of these.
WITH taken AS (
    DELETE FROM samples USING unnest($1::int[], $2::timestamptz[]) AS expiry (series, before)
    WHERE samples.series = expiry.series AND samples.start < expiry.before AND samples.start < $3
    RETURNING samples.*
)
SELECT series, start, count, seconds, packed
FROM taken
ORDER BY series, start

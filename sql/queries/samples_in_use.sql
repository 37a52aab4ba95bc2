-- Whether one of some series has rows in a stretch of time. $1 series; $2 from, $3 before.
SELECT EXISTS (
    SELECT FROM unnest($1::int[]) AS wanted
    CROSS JOIN LATERAL (
        SELECT FROM samples WHERE samples.series = wanted AND start >= $2 AND start < $3 LIMIT 1) AS found) AS in_use

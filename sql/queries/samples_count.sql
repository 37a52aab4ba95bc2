-- How many samples the rows of some series that begin in a stretch of time hold. $1 series; $2 from, $3 to, both included.
SELECT coalesce(sum(count), 0)::bigint AS samples
FROM (
    SELECT count FROM samples WHERE series = ANY ($1) AND start BETWEEN $2 AND $3
    UNION ALL
    SELECT count FROM recent WHERE series = ANY ($1) AND start BETWEEN $2 AND $3
) AS row

-- Rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, both included.
SELECT series, start, count, seconds, packed
FROM samples
WHERE series = ANY ($1) AND start BETWEEN $2 AND $3
ORDER BY series, start

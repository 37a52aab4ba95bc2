-- How many rows of some series begin in a stretch of time. $1 series; $2 from, $3 to, both included.
SELECT count(*) AS rows FROM rollup_1h WHERE series = ANY ($1) AND start BETWEEN $2 AND $3

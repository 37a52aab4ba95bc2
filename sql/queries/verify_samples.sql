-- A page of rows. $1 and $2 the last one of the page before; $3 how many.
SELECT series, start, count, seconds, packed
FROM samples
WHERE (series, start) > ($1, $2)
ORDER BY series, start
LIMIT $3

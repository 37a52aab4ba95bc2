-- A page of parts. $1 to $3 the last one of the page before; $4 how many.
SELECT fold, series, start, count, seconds, packed
FROM recent
WHERE (series, start) >= ($1, $2) AND (series, start, fold) > ($1, $2, $3)
ORDER BY series, start, fold
LIMIT $4

-- Parts of some series that begin in a stretch of time, those of later folds last. $1 series; $2 from, $3 to, both
-- included; $4 the last fold that counts.
SELECT series, start, count, seconds, packed
FROM recent
WHERE series = ANY ($1) AND start BETWEEN $2 AND $3 AND fold <= $4
ORDER BY series, fold, start

-- A page of parts, those that reach latest first. $1 and $2 what they must reach, both included; $3 the latest start;
-- $4 after and $5 up to these folds; $6 to $8 series, start and fold of the last one of the page before, which reached
-- $2; $9 how many; of those that reach no later than $1 only series from $10 on.
SELECT samples_reach(start, seconds) AS reach, fold, series, start, count, seconds, packed
FROM recent
WHERE samples_reach(start, seconds) BETWEEN $1 AND $2
  AND start <= $3 AND fold > $4 AND fold <= $5
  AND (samples_reach(start, seconds) > $1 OR series >= $10)
  AND (samples_reach(start, seconds), series, start, fold) < ($2, $6, $7, $8)
ORDER BY samples_reach(start, seconds) DESC, series DESC, start DESC, fold DESC
LIMIT $9

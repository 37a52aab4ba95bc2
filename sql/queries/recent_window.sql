-- Parts that begin within some hours. $1 series, null for all; $2 from and $3 to, both included; $4 what they must
-- reach, $5 the end of the hours; $6 after and $7 up to these folds.
SELECT fold, series, start, count, seconds, packed
FROM recent
WHERE ($1::int[] IS NULL OR series = ANY ($1))
  AND start BETWEEN $2 AND $3
  AND samples_reach(start, seconds) BETWEEN $4 AND $5
  AND fold > $6 AND fold <= $7

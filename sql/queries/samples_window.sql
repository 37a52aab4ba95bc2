-- Rows that begin within some hours. $1 series, null for all; $2 from and $3 to, both included; $4 what they must
-- reach.
SELECT series, start, count, seconds, packed
FROM samples
WHERE ($1::int[] IS NULL OR series = ANY ($1))
  AND start BETWEEN $2 AND $3
  AND samples_reach(start, seconds) >= $4

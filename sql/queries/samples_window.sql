-- Rows that begin within some hours. $1 series, null for all; $2 from and $3 to, both included; $4 what they must
-- reach. Hours are what there is an index for.
SELECT series, start, count, seconds, packed
FROM samples
WHERE ($1::int[] IS NULL OR series = ANY ($1))
  AND start BETWEEN $2 AND $3
  AND date_bin('1 hour', start, timestamptz '0001-01-01 00:00:00Z') BETWEEN
      date_bin('1 hour', $2, timestamptz '0001-01-01 00:00:00Z')
      AND date_bin('1 hour', $3, timestamptz '0001-01-01 00:00:00Z')
  AND samples_reach(start, seconds) >= $4

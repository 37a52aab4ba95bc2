-- A moment of the hour that the latest row of all series is in. $1 from and $2 to, both included; $3 after and $4 up
-- to these folds; $5 whether samples counts, of which only the hours are looked at.
SELECT greatest(
    (SELECT samples_reach(start, seconds)
     FROM recent
     WHERE samples_reach(start, seconds) BETWEEN $1 AND $2 AND fold > $3 AND fold <= $4
     ORDER BY samples_reach(start, seconds) DESC
     LIMIT 1),
    (SELECT max(date_bin('1 hour', start, timestamptz '0001-01-01 00:00:00Z'))
     FROM samples
     WHERE $5 AND start >= $1
         AND date_bin('1 hour', start, timestamptz '0001-01-01 00:00:00Z') BETWEEN
             date_bin('1 hour', $1, timestamptz '0001-01-01 00:00:00Z')
             AND date_bin('1 hour', $2, timestamptz '0001-01-01 00:00:00Z'))) AS moment

-- A moment of the hour that the earliest row of all series is in. $1 from and $2 to, both included; $3 after and $4 up
-- to these folds; $5 whether samples counts.
SELECT least(
    (SELECT samples_reach(start, seconds)
     FROM recent
     WHERE samples_reach(start, seconds) BETWEEN $1 AND $2 AND fold > $3 AND fold <= $4
     ORDER BY samples_reach(start, seconds)
     LIMIT 1),
    (SELECT min(start) FROM samples WHERE $5 AND start BETWEEN $1 AND $2)) AS moment

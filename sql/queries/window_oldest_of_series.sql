-- Where the earliest row of some series begins: one look-up a series and table. $1 series; $2 from and $3 to, both
-- included; $4 after and $5 up to these folds; $6 whether samples counts.
SELECT min(start) AS moment
FROM (
    SELECT (
        SELECT start FROM recent
        WHERE recent.series = wanted.series AND start BETWEEN $2 AND $3 AND fold > $4 AND fold <= $5
        ORDER BY start LIMIT 1) AS start
    FROM unnest($1::int[]) AS wanted (series)
    UNION ALL
    SELECT (
        SELECT start FROM samples
        WHERE samples.series = wanted.series AND start BETWEEN $2 AND $3
        ORDER BY start LIMIT 1) AS start
    FROM unnest($1::int[]) AS wanted (series)
    WHERE $6
) AS starts

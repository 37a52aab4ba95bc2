-- Removes rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, the latter excluded; $4 how
-- many at most.
DELETE FROM rollup_1m USING (
    SELECT series, start FROM rollup_1m WHERE series = ANY ($1) AND start >= $2 AND start < $3 LIMIT $4) AS few
WHERE rollup_1m.series = few.series AND rollup_1m.start = few.start

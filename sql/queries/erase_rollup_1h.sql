-- Removes rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, the latter excluded; $4 how
-- many at most.
DELETE FROM rollup_1h USING (
    SELECT series, start FROM rollup_1h WHERE series = ANY ($1) AND start >= $2 AND start < $3 LIMIT $4) AS few
WHERE rollup_1h.series = few.series AND rollup_1h.start = few.start

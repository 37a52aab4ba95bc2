-- Removes rows of some series that begin in a stretch of time. $1 series; $2 from, $3 to, the latter excluded; $4 how
-- many at most.
DELETE FROM samples USING (
    SELECT series, start FROM samples WHERE series = ANY ($1) AND start >= $2 AND start < $3 LIMIT $4) AS few
WHERE samples.series = few.series AND samples.start = few.start

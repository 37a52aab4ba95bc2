-- Removes parts of some series that begin in a stretch of time. $1 series; $2 from, $3 to, the latter excluded; $4 how
-- many at most.
DELETE FROM recent USING (
    SELECT slot, fold, series, start FROM recent
    WHERE series = ANY ($1) AND start >= $2 AND start < $3 LIMIT $4) AS few
WHERE recent.slot = few.slot AND recent.fold = few.fold AND recent.series = few.series AND recent.start = few.start

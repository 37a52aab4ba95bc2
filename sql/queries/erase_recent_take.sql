-- Removes the parts of some series that begin in a stretch of time, and answers them. $1 series; $2 from, $3 to, the
-- latter excluded.
DELETE FROM recent WHERE series = ANY ($1) AND start >= $2 AND start < $3
RETURNING slot, fold, series, start, count, seconds, packed

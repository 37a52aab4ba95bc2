-- The parts to move next: by series, hour and fold, from the hour $2 of series $1 on, those that begin before $3, at
-- most $4. Hours are counted from a midnight before all data, where every version of date_bin rounds down.
SELECT slot, ctid, fold, series, start, count, seconds, packed
FROM recent
WHERE (series, start) >= ($1, $2) AND start < $3
ORDER BY series, date_bin('1 hour', start, timestamptz '0001-01-01 00:00:00Z'), fold, start
LIMIT $4

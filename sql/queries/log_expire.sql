-- Removes the oldest from before $1, at most $2.
DELETE FROM logs USING (SELECT server, at, id FROM logs WHERE at < $1 ORDER BY at, id LIMIT $2) AS old
WHERE logs.server = old.server AND logs.at = old.at AND logs.id = old.id AND logs.at < $1

-- Removes the oldest from before $1, at most $2.
DELETE FROM events USING (SELECT server, at, id FROM events WHERE at < $1 ORDER BY at, id LIMIT $2) AS old
WHERE events.server = old.server AND events.at = old.at AND events.id = old.id AND events.at < $1

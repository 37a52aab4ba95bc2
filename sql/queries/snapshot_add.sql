-- $1 server, $2 kind, $3 time, $4 body, $5 the reach.
INSERT INTO snapshots (server, kind, taken_at, body)
SELECT key, $2, $3, $4 FROM servers WHERE id = $1 AND within_reach(owner, id, labels, $5::jsonb)
RETURNING id, server

INSERT INTO snapshots (server, kind, taken_at, body)
SELECT key, $2, $3, $4 FROM servers WHERE id = $1
RETURNING id, server

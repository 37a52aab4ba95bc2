INSERT INTO port_checks (server, name, host, port, protocol)
SELECT key, $2, $3, $4, $5 FROM servers WHERE id = $1
RETURNING id, created_at

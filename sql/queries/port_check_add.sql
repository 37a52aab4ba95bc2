-- $6: how many checks a server may have. $7 the reach.
INSERT INTO port_checks (server, name, host, port, protocol)
SELECT key, $2, $3, $4, $5 FROM servers
WHERE id = $1 AND within_reach(owner, id, labels, $7::jsonb)
  AND (SELECT count(*) FROM port_checks WHERE server = key) < $6
RETURNING id, created_at

-- $1 server, $2 how many, $3 the reach.
SELECT port_checks.id, servers.id AS server_id, name, host, port, protocol, port_checks.created_at
FROM port_checks JOIN servers ON servers.key = port_checks.server
WHERE servers.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY port_checks.created_at, port_checks.id
LIMIT $2

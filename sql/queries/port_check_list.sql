SELECT port_checks.id, servers.id AS server_id, name, host, port, protocol, port_checks.created_at
FROM port_checks JOIN servers ON servers.key = port_checks.server
WHERE servers.id = $1
ORDER BY port_checks.created_at, port_checks.id
LIMIT $2

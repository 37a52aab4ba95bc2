-- $1 check, $2 how many, $3 the reach.
SELECT port_results.id, success, latency_ms, error, checked_at
FROM port_results
WHERE port_check = $1 AND EXISTS (
    SELECT FROM port_checks JOIN servers ON servers.key = port_checks.server
    WHERE port_checks.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb))
ORDER BY port_results.id DESC
LIMIT $2

-- Nothing when there is no such check within reach. $1 check, $2 to $5 the outcome, $6 the reach.
INSERT INTO port_results (port_check, success, latency_ms, error, checked_at)
SELECT port_checks.id, $2, $3, $4, $5
FROM port_checks JOIN servers ON servers.key = port_checks.server
WHERE port_checks.id = $1 AND within_reach(servers.owner, servers.id, servers.labels, $6::jsonb)
RETURNING id

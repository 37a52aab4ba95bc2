-- Endpoints that may report and have, with what is kept of their latest snapshots: $3 at most, with numbers above $2.
-- $1 the pack.
SELECT agents.id, servers.key, servers.id AS server_id, active
FROM agents
JOIN servers ON servers.key = agents.server
JOIN alert_reports ON alert_reports.server = agents.server AND pack = $1
WHERE agents.owner IS NULL AND is_active AND agents.id > $2
ORDER BY agents.id
LIMIT $3

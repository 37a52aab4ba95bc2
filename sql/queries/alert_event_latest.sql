-- The latest events of a pack, newest first. $1 the pack, $2 how many, $3 the reach.
SELECT alert_events.id, at, severity, title, details
FROM alert_events JOIN servers ON servers.key = alert_events.server
WHERE pack = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY alert_events.id DESC
LIMIT $2

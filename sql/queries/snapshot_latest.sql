-- $1 server, $2 kind, $3 the reach.
SELECT snapshots.id, taken_at, body
FROM snapshots JOIN servers ON servers.key = snapshots.server
WHERE servers.id = $1 AND kind = $2 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY snapshots.id DESC
LIMIT 1

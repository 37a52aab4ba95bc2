SELECT snapshots.id, taken_at, body
FROM snapshots JOIN servers ON servers.key = snapshots.server
WHERE servers.id = $1 AND kind = $2
ORDER BY snapshots.id DESC
LIMIT 1

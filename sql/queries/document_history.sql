-- Newest first. $1 server, $2 kind, $3 how many, $4 the reach.
SELECT documents.id, servers.id AS server_id, kind, taken_at, body
FROM documents JOIN servers ON servers.key = documents.server
WHERE servers.id = $1 AND kind = $2
  AND within_reach(servers.owner, servers.id, servers.labels, $4::jsonb)
ORDER BY documents.id DESC
LIMIT $3

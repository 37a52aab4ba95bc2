-- The latest of each kind. $1 server, $2 kind or null, $3 the reach.
SELECT DISTINCT ON (kind) documents.id, servers.id AS server_id, kind, taken_at, body
FROM documents JOIN servers ON servers.key = documents.server
WHERE servers.id = $1 AND ($2::text IS NULL OR kind = $2)
  AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY kind, documents.id DESC

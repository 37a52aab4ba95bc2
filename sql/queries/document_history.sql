-- Newest first. $1 server, $2 kind, $3 how many.
SELECT documents.id, servers.id AS server_id, kind, taken_at, body
FROM documents JOIN servers ON servers.key = documents.server
WHERE servers.id = $1 AND kind = $2
ORDER BY documents.id DESC
LIMIT $3

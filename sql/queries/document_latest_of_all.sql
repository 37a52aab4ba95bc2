-- The latest of a kind of each server that has one, in the order in which the servers came. $1 kind, $2 how many,
-- $3 the reach.
SELECT latest.id, servers.id AS server_id, kind, taken_at, body
FROM servers CROSS JOIN LATERAL (
    SELECT id, kind, taken_at, body FROM documents
    WHERE documents.server = servers.key AND kind = $1
    ORDER BY documents.id DESC
    LIMIT 1) AS latest
WHERE within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY servers.key
LIMIT $2

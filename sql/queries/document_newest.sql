-- One member of the newest documents of a kind, of all servers. $1 kind, $2 how many, $3 the reach, $4 the member.
SELECT documents.id, servers.id AS server_id, kind, taken_at,
    coalesce(body -> $4::text, 'null') AS body
FROM documents JOIN servers ON servers.key = documents.server
WHERE kind = $1 AND within_reach(servers.owner, servers.id, servers.labels, $3::jsonb)
ORDER BY documents.id DESC
LIMIT $2

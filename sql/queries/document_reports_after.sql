-- Reports of agents of persons. $1 only those above this number, $2 their kind, $3 but not these, $4 the persons whose
-- reports are read; of others only the number is told. $5 how many.
SELECT documents.id, servers.id AS server_id, agents.id AS agent, agents.name, agents.owner,
    CASE WHEN agents.owner = ANY ($4::bigint[]) THEN body END AS body
FROM documents
    JOIN servers ON servers.key = documents.server
    JOIN agents ON agents.server = documents.server AND agents.owner = servers.owner
WHERE documents.id > $1 AND kind = $2 AND documents.id NOT IN (SELECT unnest($3::bigint[]))
ORDER BY documents.id
LIMIT $5
